import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** Serves a folder below a path of a host, as plainly as a host can: whole files, no ranges, 404 for what is not there. */
export async function serve(folder: string, path: string): Promise<{ readonly address: string } & AsyncDisposable> {
  const server = createServer(async ({ url }, response) => {
    const asked = decodeURIComponent(new URL(url!, "http://host").pathname);
    const name = asked === path ? "index.html" : normalize(asked.slice(path.length));
    const content = asked.startsWith(path) && (await readFile(join(folder, name)).catch(() => undefined));
    response.statusCode = content ? 200 : 404;
    response.setHeader("Content-Type", TYPES[extname(name)] ?? "application/octet-stream");
    response.end(content || "not there");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
