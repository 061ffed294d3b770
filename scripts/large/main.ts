/** `npm run check-large`: the main job on a model of 1.1 billion random parameters, see {@link runLarge}. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LetheError, openDevice } from "@lethe/tensor";
import { type TrainingRecipe, trainedPartForms } from "@lethe/unlearn";
import { commandLine, runCommand } from "../../packages/lab/src/commands/command-line.ts";
import { showBytes } from "../../packages/lab/src/commands/show-bytes.ts";
import { type LargeJob, runLarge } from "./job.ts";
import { billion } from "./sizes.ts";
import { Stages } from "./stages.ts";

interface Options extends Required<LargeJob["memory"]> {
  readonly train: string;
}

async function main({ train: trains, weights, optimiser }: Options): Promise<void> {
  const device = await openDevice();
  const directory = await mkdtemp(join(tmpdir(), "lethe-large-"));
  const stages = new Stages(device, ({ name, seconds, deviceBytes, hostBytes }) =>
    console.log(
      `${name.padEnd(30)} ${seconds.toFixed(1).padStart(6)} s ${showBytes(deviceBytes).padStart(8)} on the device, ${showBytes(hostBytes)} on the host`,
    ),
  );
  try {
    console.log(`${device.adapterName}; trains ${trains}, weights ${weights}, optimiser ${optimiser}`);
    const job = { sizes: billion, trains, memory: { weights, optimiser }, seed: 1 };
    const { weights: held, planned, base, restored } = await runLarge(device, directory, job, stages);
    console.log(`weights ${showBytes(held)}, planned for the training beside them ${showBytes(planned)}`);
    console.log(`loss* ${base.toPrecision(3)}; with the first layers restored ${JSON.stringify(restored)}`);
    const most = Math.max(...stages.done.map(({ hostBytes }) => hostBytes));
    // A copy of all weights would be seen at once, and so would one of half of them.
    if (most > held / 4) throw new LetheError(`the host held ${showBytes(most)}: something copies the model there`);
  } finally {
    device.destroy();
    await rm(directory, { recursive: true });
  }
}

await runCommand(
  commandLine(
    "check-large",
    "The main job at reduced length on a model of 1.1 billion random parameters. It takes 5 GB of memory and of disk.",
  )
    .option("--train <part>", `what is trained: ${trainedPartForms}`, "lora:8")
    .option("--weights <name>", "how trained weights are kept", "bf16-stochastic" satisfies TrainingRecipe["weights"])
    .option("--optimiser <name>", "what updates them", "adamw-8bit" satisfies TrainingRecipe["optimiser"])
    .action(main),
);
