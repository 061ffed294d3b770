/** `npm run doctor`: names the adapter that Lethe uses, checks that it computes right, and says what would make this machine faster. */
import { add, type Device, linear, openDevice, type Tensor } from "@lethe/tensor";
import { commandLine, runCommand } from "../../packages/lab/src/commands/command-line.ts";
import { type Adapter, advise, chosenBy } from "./advice.ts";
import { recordedGain } from "./gain.ts";
import { readSystem, type System } from "./system.ts";

function row(name: string, value: string): void {
  console.log(`  ${name.padEnd(16)} ${value}`);
}

function describeHost(system: System): void {
  console.log("Host");
  row("Node", `${process.version} on ${process.platform} ${process.arch}`);
  if (Number(process.versions.node.split(".")[0]) < 20) row("", "Lethe needs Node 20 or newer");
  if (system.platform === "linux") {
    row("Vulkan drivers", system.drivers.length > 0 ? system.drivers.join(", ") : "none installed");
    for (const { vendor, device, driver } of system.cards)
      row("display device", `${vendor}:${device}, ${driver ? `driven by ${driver}` : "without a driver"}`);
  }
  for (const name of ["LETHE_ADAPTER", "LETHE_MEMORY_BYTES", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (process.env[name]) row(name, process.env[name]);
  }
}

/** Which device this process got. WebGPU tells no more, so cards of one kind cannot be told apart. */
function describeDevice({ gpu, adapterName, capabilities: { software } }: Device, system: System): Adapter {
  const { vendor, device } = (gpu as GPUDevice).adapterInfo;
  console.log("\nAdapter");
  row("name", `${adapterName}${software ? " (software: correct, but slow)" : ""}`);
  row("device", [vendor, device].filter(Boolean).join(", "));
  for (const choice of chosenBy(system)) row("", choice);
  return { vendor, software };
}

function describeCapabilities({ capabilities }: Device): void {
  const { subgroups, f16, matrixUnits, timestamps, maxBindingBytes, maxBufferBytes, maxSharedBytes, maxWorkgroupSize } =
    capabilities;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  row("subgroups", subgroups ? `${subgroups.min} to ${subgroups.max} lanes` : "no");
  row("f16 arithmetic", f16 ? "yes" : "no (f16 and bf16 weights still work)");
  const units = matrixUnits.map(({ m, n, k, input, sum }) => `${m}×${n}×${k} of ${input} to ${sum}`);
  row("matrix units", units.length > 0 ? units.join(", ") : "no");
  row("timestamps", timestamps ? "yes" : "no");
  row("largest buffer", `${mebibytes(maxBufferBytes)}, ${mebibytes(maxBindingBytes)} bound at once`);
  row("workgroup", `${maxWorkgroupSize} lanes, ${maxSharedBytes / 1024} KiB shared`);
}

/** Multiplies small matrices whose product is known, then times a larger product and a sum that memory bounds. */
async function check(device: Device): Promise<void> {
  const n = 70;
  const matrix = (element: (i: number) => number) =>
    device.tensor(
      Float32Array.from({ length: n * n }, (_, i) => element(i)),
      [n, n],
    );
  using x = matrix((i) => (i % 7) - 3);
  using identity = matrix((i) => (i % (n + 1) === 0 ? 1 : 0));
  using product = linear(x, identity);
  const [found, expected] = await Promise.all([product.read(), x.read()]);
  if (!found.every((value, i) => value === expected[i])) throw new Error("a matrix product came out wrong");

  const size = 512;
  using square = device.tensor(new Float32Array(size * size).fill(1), [size, size]);
  const productSeconds = await timeWarm(device, () => linear(square, square));
  row("matmul 512³", `right, ${((2 * size ** 3) / productSeconds / 1e9).toFixed(1)} GFLOP/s`);
  using long = device.tensor(new Float32Array(2 ** 22), [2 ** 22]);
  const sumSeconds = await timeWarm(device, () => add(long, long));
  row("memory", `${((2 * long.bytes) / sumSeconds / 1e9).toFixed(1)} GB/s`);
}

/** Seconds that an operation takes when it runs for the second time, its kernel compiled. */
async function timeWarm(device: Device, run: () => Tensor): Promise<number> {
  let seconds = 0;
  for (let i = 0; i < 2; i++) {
    await device.idle();
    const start = performance.now();
    run().dispose();
    await device.idle();
    seconds = (performance.now() - start) / 1000;
  }
  return seconds;
}

async function doctor(): Promise<void> {
  const system = readSystem();
  describeHost(system);
  try {
    const device = await openDevice();
    const adapter = describeDevice(device, system);
    describeCapabilities(device);
    console.log("\nCheck");
    await check(device);
    device.destroy();
    console.log("\nAll is well.");
    const advice = advise(system, adapter, recordedGain());
    if (advice.length > 0) console.log("\nWhat would make it faster");
    for (const line of advice) console.log(`  ${line}`);
  } catch (error) {
    console.error(`\nSomething is wrong: ${error instanceof Error ? error.message : error}`);
    console.error(
      "Try `LETHE_ADAPTER=swiftshader npm run doctor`. If that passes, the driver is at fault: update it, or keep that variable set.",
    );
    process.exitCode = 1;
  }
}

await runCommand(
  commandLine(
    "doctor",
    "Names the adapter that Lethe uses, checks that it computes right, and says what would be faster.",
  ).action(doctor),
);
