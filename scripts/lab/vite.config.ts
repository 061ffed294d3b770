import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { embeddedKernels } from "../embedded-kernels.ts";
import { packageFolder } from "../packages.ts";
import { bundledFiles } from "./bundled-files.ts";

/** The kernels' text, in place of the module that reads `kernels/` from the disk. */
function kernels(): Plugin {
  const id = "\0kernels";
  return {
    name: "lethe-kernels",
    enforce: "pre",
    resolveId: (source) => (source === "#wgsl" ? id : undefined),
    load: (loaded) => (loaded === id ? embeddedKernels() : undefined),
  };
}

/** Serves the bundled files, and writes them beside the built page. */
function bundled(): Plugin {
  return {
    name: "lethe-bundled",
    configureServer(server) {
      const files = bundledFiles();
      server.middlewares.use((request, response, next) => {
        const content = files.get(decodeURIComponent(new URL(request.url!, "http://page").pathname.slice(1)));
        if (!content) return next();
        response.setHeader("Content-Type", "application/octet-stream");
        response.end(content);
      });
    },
    generateBundle() {
      // A Worker is a bundle of its own, and has no need of them.
      for (const [fileName, source] of bundledFiles()) this.emitFile({ type: "asset", fileName, source });
    },
  };
}

export default defineConfig({
  root: join(packageFolder("lab"), "src/page"),
  // Addresses are relative, so the page works in any folder of any host.
  base: "./",
  // An absent file is a 404, and not the page.
  appType: "mpa",
  resolve: { conditions: ["lethe-source", "browser", "module"] },
  plugins: [kernels(), bundled()],
  worker: { format: "es", plugins: () => [kernels()] },
  build: {
    outDir: join(packageFolder("lab"), "dist"),
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
  },
});
