/** `npm run bench`: every kernel and whole passes, each checked, then timed together with the plain way and the peaks of the adapter. */
import { readFileSync } from "node:fs";
import { type Device, LetheError, openDevice, parseJson, type Tuning } from "@lethe/tensor";
import { writeWhole } from "@lethe/tensor/node";
import { commandLine, runCommand, wholeFrom } from "../packages/lab/src/commands/command-line.ts";
import { experimentAgainst } from "./against/experiment.ts";
import { benchAgainst } from "./against/run.ts";
import { checkOut } from "./against/tree.ts";
import { benchCases } from "./cases/run.ts";
import { benchPage } from "./html/page.ts";
import { benchModel } from "./model/run.ts";
import { benchPeers } from "./peers/run.ts";
import { printSummary } from "./print.ts";
import type { Results } from "./results.ts";
import { baseline, judgeExperiment, judgePeers } from "./targets.ts";
import { tune } from "./tune/run.ts";

interface Flags {
  readonly filter?: string;
  readonly model?: string;
  readonly json?: string;
  readonly html?: string;
  readonly profile?: boolean;
  readonly large: boolean;
  readonly peers?: boolean;
  readonly against?: string;
  readonly experiment?: string | true;
  readonly rounds: number;
  readonly tune?: string;
  readonly tuning?: string;
}

async function bench(flags: Flags): Promise<void> {
  if (flags.experiment && !flags.against) throw new LetheError("--experiment needs --against COMMIT, to compare with.");
  const tuning = flags.tuning ? (parseJson(readFileSync(flags.tuning, "utf8")) as unknown as Tuning) : null;
  const device = await openDevice(tuning ? { tuning } : {});
  const results = await resultsOf(device, flags);
  device.destroy();
  if (!results) return;
  printSummary(results.verdicts);
  if (flags.json) await writeWhole(flags.json, `${JSON.stringify(results, null, 2)}\n`);
  if (flags.html) await writeWhole(flags.html, await benchPage(results));
}

/** What a run found; null where it wrote a file of its own instead. */
async function resultsOf(device: Device, flags: Flags): Promise<Results | null> {
  const { filter = "", large } = flags;
  const { adapterName: adapter, capabilities } = device;
  const about = { adapter, capabilities, verdicts: [] };
  if (flags.tune) {
    console.log(adapter);
    await writeWhole(flags.tune, `${JSON.stringify(await tune(device, { filter, large }), null, 2)}\n`);
    return null;
  }
  if (flags.model) {
    console.log(adapter);
    return { ...about, model: await benchModel(device, flags.model, { filter, detailed: flags.profile ?? false }) };
  }
  if (flags.against) {
    using tree = checkOut(flags.against);
    const { commit } = tree;
    if (flags.experiment) {
      const preset = flags.experiment === true ? "default" : flags.experiment;
      const experiment = await experimentAgainst(tree, preset, flags.rounds);
      const verdicts = judgeExperiment(adapter, experiment);
      return { ...about, commit, experiment, verdicts };
    }
    const against = await benchAgainst(tree, flags.filter ?? "pass");
    return { ...about, commit, against, verdicts: against.flatMap(({ verdicts }) => verdicts) };
  }
  if (flags.peers) {
    console.log(adapter);
    const { libraries, rows: peers, left } = await benchPeers(device, { filter, large });
    return { ...about, libraries, peers, left, verdicts: peers.flatMap(judgePeers) };
  }
  return await benchCases(device, { filter, large, detailed: flags.profile ?? false });
}

await runCommand(
  commandLine("bench", "Times every kernel and whole passes; outputs are checked first.")
    .option("--filter <text>", "only cases whose name or shape contains this")
    .option("--model <model>", "time the parts of the main job with this model instead")
    .option("--json <file>", "also write the figures to this file")
    .option("--html <file>", "also write them as a page with charts")
    .option("--profile", "print how the time of each case divides among kernels")
    .option("--large", "also what would take long on this software adapter", false)
    .option(
      "--peers",
      "time Lethe beside jax-js, tfjs and onnxruntime-node on this adapter instead, and beside PyTorch",
    )
    .option("--against <commit>", `time the passes (or --filter) beside another commit; targets are for ${baseline}`)
    .option("--experiment [preset]", "with --against: time whole experiments in place of passes")
    .option("--rounds <count>", "with --experiment: how often each runs", wholeFrom(1), 1)
    .option("--tune <file>", "time what every plan could choose on this adapter, and write the winners to this file")
    .option("--tuning <file>", "use the winners that --tune wrote")
    .action(bench),
);
