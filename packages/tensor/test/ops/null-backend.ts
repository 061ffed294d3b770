import { create } from "webgpu";
import { wgsl } from "#wgsl";
import { define } from "../../src/gpu/include.ts";
import { readInterface } from "../../src/gpu/interface.ts";
import type { Constants } from "../../src/gpu/pipelines.ts";

// Dawn's null backend compiles for every feature and computes nothing. Its limits are the least that WebGPU promises: 16 KiB of shared memory and
// 256 lanes to a workgroup. An instance of Dawn must outlive its devices.
const dawn = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);

/** A device that compiles kernels with subgroups, f16 and matrix units, and runs nothing. */
export async function openNothing(): Promise<GPUDevice> {
  const adapter = await dawn.requestAdapter();
  const requiredFeatures = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"] as GPUFeatureName[];
  return adapter!.requestDevice({ requiredFeatures });
}

/** What Dawn says against a kernel with these constants; empty where it compiles. */
export async function complaint(device: GPUDevice, kernel: string, given: Constants): Promise<string> {
  const code = define(wgsl(kernel), given);
  const { overrides } = readInterface(code);
  const entries = Object.entries(given).filter(([name]) => overrides.has(name));
  const constants = Object.fromEntries(entries.map(([name, value]) => [name, Number(value)]));
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: "auto", compute: { module, constants } });
  return (await device.popErrorScope())?.message ?? "";
}
