import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";
import { AdapterError } from "../errors.ts";

const carrier = "@sparticuz/chromium";
const RTLD_NODELETE = 0x1000;

/** Path of the archive inside the npm package that carries SwiftShader. */
function archive(): string {
  const resolve = createRequire(import.meta.url).resolve;
  try {
    for (let folder = dirname(resolve(carrier)); folder !== dirname(folder); folder = dirname(folder)) {
      const candidate = join(folder, "bin", "swiftshader.tar.br");
      if (existsSync(candidate)) return candidate;
    }
  } catch {
    // Not installed: the message below says what to do.
  }
  throw new AdapterError(
    `No GPU driver was found, and the software fallback is not installed. Run \`npm install ${carrier}\`, or install a Vulkan driver.`,
  );
}

/** Unpacks SwiftShader once per package version into the temporary folder; safe against processes that do so at the same time. */
async function unpack(): Promise<string> {
  const source = archive();
  const { version } = createRequire(import.meta.url)(join(dirname(source), "..", "package.json")) as {
    version: string;
  };
  const home = join(tmpdir(), `lethe-swiftshader-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(home)) return home;
  const fresh = await mkdtemp(`${home}-`);
  await pipeline(createReadStream(source), createBrotliDecompress(), extract(fresh));
  try {
    await rename(fresh, home);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}

/**
 * Makes the next Vulkan instance of this process a SwiftShader one, with no loader or driver installed on the system.
 * @throws {AdapterError} on a platform it is not built for, or when the package that carries it is absent.
 */
export async function useSwiftShader(): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new AdapterError(
      `No WebGPU adapter was found, and the software fallback runs on Linux x64 only (this is ${process.platform} ${process.arch}). Install or update the GPU driver.`,
    );
  const home = await unpack();
  process.env.VK_ICD_FILENAMES = join(home, "vk_swiftshader_icd.json");
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES;
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, join(home, "libvulkan.so.1"), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    // Node loads the library, which is all that is needed here, and then complains that it is not an addon.
    if (!String(error).includes("self-register")) throw error;
  }
}
