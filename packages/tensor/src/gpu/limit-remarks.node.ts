import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// On Vulkan, Dawn remarks on each adapter that offers more dynamic offsets of buffers than Dawn counts. Lethe uses none, so the remark
// tells nobody anything. Dawn has no toggle and no callback for it: it writes to the process's standard error itself, while an adapter
// is asked for. So what is written there during that one call is looked through, and all else is passed on.

const remark =
  /^Warning: maxDynamic(?:Uniform|Storage)BuffersPerPipelineLayout artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.\r?\n/gm;

const standardError = 2;

/** Duplicates a file descriptor; with a second one, onto that. −1 where it cannot. */
interface Duplicate {
  dup(descriptor: number): number;
  dup2(descriptor: number, onto: number): number;
}

/** The C library's `dup` and `dup2`, which Node does not offer; null where `koffi` is not installed, and on systems without Vulkan. */
async function cLibrary(): Promise<Duplicate | null> {
  if (process.platform !== "linux") return null;
  try {
    const { default: koffi } = await import("koffi");
    const library = koffi.load(null);
    return { dup: library.func("int dup(int)"), dup2: library.func("int dup2(int, int)") };
  } catch {
    return null; // An optional dependency. Without it Dawn's remarks are seen.
  }
}

/** Makes a function that calls another one without those remarks on standard error. Everything else that is written there arrives. */
export async function limitRemarksSilencer(): Promise<<T>(call: () => T) => T> {
  const library = await cLibrary();
  return (call) => (library ? withoutRemarks(library, call) : call());
}

function withoutRemarks<T>({ dup, dup2 }: Duplicate, call: () => T): T {
  const folder = mkdtempSync(join(tmpdir(), "lethe-remarks-"));
  const file = join(folder, "stderr");
  const kept = openSync(file, "w");
  const own = dup(standardError);
  try {
    if (own < 0 || dup2(kept, standardError) < 0) return call();
    try {
      return call();
    } finally {
      dup2(own, standardError);
      const written = readFileSync(file, "utf8").replace(remark, "");
      if (written !== "") process.stderr.write(written);
    }
  } finally {
    if (own >= 0) closeSync(own);
    closeSync(kept);
    rmSync(folder, { recursive: true });
  }
}
