import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const source = new URL("../src/gpu/limit-remarks.node.ts", import.meta.url).href;
const remark = (kind: string) =>
  `Warning: maxDynamic${kind}BuffersPerPipelineLayout artificially reduced from 500000 to 16 to fit dynamic offset allocation limit.\n`;

// Dawn writes to the descriptor itself, past Node's process.stderr, and so does this process.
test.runIf(process.platform === "linux")("keeps Dawn's two remarks back, and nothing else", async () => {
  const others = ["Warning: maxDynamicUniformBuffersPerPipelineLayout is odd.\n", "Warning: driver is old\nError: é\n"];
  const written = [remark("Uniform"), others[0], remark("Storage"), others[1]].join("");
  const program = `
    import { writeSync } from "node:fs";
    import { limitRemarksSilencer } from ${JSON.stringify(source)};
    const silently = await limitRemarksSilencer();
    writeSync(2, "before\\n");
    const result = silently(() => { writeSync(2, ${JSON.stringify(written)}); return 7; });
    try { silently(() => { writeSync(2, "told\\n"); throw new Error("thrown"); }); } catch ({ message }) { console.log(message); }
    process.stderr.write("after\\n");
    writeSync(2, ${JSON.stringify(remark("Uniform"))});
    console.log(result);`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("thrown\n7\n");
  expect(stderr).toBe(`before\n${others.join("")}told\nafter\n${remark("Uniform")}`);
});
