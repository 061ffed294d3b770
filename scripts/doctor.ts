/** `npm run doctor`: says which adapter Lethe would use, whether it computes right, and what to do when it does not. */
import { existsSync, readdirSync } from "node:fs";
import { add, type Device, linear, openDevice } from "@lethe/tensor";

const driverFolders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

function row(name: string, value: string): void {
  console.log(`  ${name.padEnd(16)} ${value}`);
}

function describeHost(): void {
  console.log("Host");
  row("Node", `${process.version} on ${process.platform} ${process.arch}`);
  if (Number(process.versions.node.split(".")[0]) < 20) row("", "Lethe needs Node 20 or newer");
  if (process.platform === "linux") {
    const files = driverFolders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
    row("Vulkan drivers", files.length > 0 ? files.join(", ") : "none installed (SwiftShader will stand in)");
  }
  for (const name of ["LETHE_ADAPTER", "LETHE_MEMORY_BYTES", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (process.env[name]) row(name, process.env[name]);
  }
}

function describeAdapter({ adapterName, capabilities }: Device): void {
  const { subgroups, f16, timestamps, software, maxBindingBytes, maxBufferBytes, maxSharedBytes, maxWorkgroupSize } =
    capabilities;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log("\nAdapter");
  row("name", `${adapterName}${software ? " (software: correct, but slow)" : ""}`);
  row("subgroups", subgroups ? `${subgroups.min} to ${subgroups.max} lanes` : "no");
  row("f16 arithmetic", f16 ? "yes" : "no (f16 and bf16 weights still work)");
  row("timestamps", timestamps ? "yes" : "no");
  row("largest buffer", `${mebibytes(maxBufferBytes)}, ${mebibytes(maxBindingBytes)} bound at once`);
  row("workgroup", `${maxWorkgroupSize} lanes, ${maxSharedBytes / 1024} KiB shared`);
}

/** Multiplies small matrices whose product is known in closed form, then times a larger product. */
async function check(device: Device): Promise<void> {
  using _ = device.scope("doctor");
  const n = 70;
  const x = device.tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % 7) - 3),
    [n, n],
  );
  const identity = device.tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [n, n],
  );
  const [product, expected] = await Promise.all([linear(x, identity).read(), x.read()]);
  if (!product.every((value, i) => value === expected[i])) throw new Error("a matrix product came out wrong");

  const size = 512;
  const a = device.tensor(new Float32Array(size * size).fill(1), [size, size]);
  for (const warm of [true, false]) {
    await device.idle();
    const start = performance.now();
    linear(a, a);
    await device.idle();
    const seconds = (performance.now() - start) / 1000;
    if (!warm) row("matmul 512³", `right, ${((2 * size ** 3) / seconds / 1e9).toFixed(1)} GFLOP/s`);
  }
  const big = device.tensor(new Float32Array(2 ** 22), [2 ** 22]);
  for (const warm of [true, false]) {
    await device.idle();
    const start = performance.now();
    add(big, big);
    await device.idle();
    const seconds = (performance.now() - start) / 1000;
    if (!warm) row("memory", `${((2 * big.bytes) / seconds / 1e9).toFixed(1)} GB/s`);
  }
}

describeHost();
try {
  const device = await openDevice();
  describeAdapter(device);
  console.log("\nCheck");
  await check(device);
  device.destroy();
  console.log("\nAll is well.");
} catch (error) {
  console.error(`\nSomething is wrong: ${error instanceof Error ? error.message : error}`);
  console.error(
    "Try `LETHE_ADAPTER=swiftshader npm run doctor`. If that passes, the driver is at fault: update it, or keep that variable set.",
  );
  process.exitCode = 1;
}
