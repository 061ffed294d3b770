import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a server behaves. */
export interface Serving {
  /** What it does with a Range header. Default: it answers with the range. */
  readonly ranges?: boolean;
  /** What it answers for a path that it does not have. Default: status 404. */
  readonly absent?: (response: ServerResponse) => void;
  /** Answers some requests by itself, and then returns true. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  /** Headers of every answer with a file. */
  readonly headers?: (path: string) => Record<string, string>;
  /**
   * Milliseconds of silence after which the requests that have arrived are answered, all together. Whoever needs n answers one after the
   * other takes n such rounds, however fast the machine is.
   */
  readonly roundMs?: number;
}

/** A server of files in memory. */
export interface FileServer extends AsyncDisposable {
  readonly url: string;
  /** Paths of all requests so far, each with its range. */
  readonly requests: { readonly path: string; readonly range: string | undefined }[];
  /** The most requests that waited for an answer at a time. */
  most: number;
  /** See `roundMs`. */
  rounds: number;
}

/** Serves files by path, `/model.safetensors`, on a free port. */
export async function serveFiles(
  files: ReadonlyMap<string, Uint8Array>,
  { ranges = true, absent = notFound, instead, headers = () => ({}), roundMs }: Serving = {},
): Promise<FileServer> {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let open = 0;
  const endRound = (): void => {
    state.rounds++;
    for (const answer of waiting) answer();
    waiting = [];
  };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, state.url).pathname);
    state.requests.push({ path, range: request.headers.range });
    state.most = Math.max(state.most, ++open);
    response.on("close", () => open--);
    if (roundMs !== undefined) {
      clearTimeout(timer);
      timer = setTimeout(endRound, roundMs);
      await new Promise<void>((answer) => waiting.push(answer));
    }
    if (await instead?.(request, response)) return;
    const content = files.get(path);
    if (content === undefined) return absent(response);
    const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
    if (range === null) response.writeHead(200, { "Content-Length": content.length, ...headers(path) }).end(content);
    else sendRange(response, content, Number(range[1]), Number(range[2]), headers(path));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const state: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    most: 0,
    rounds: 0,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return state;
}

function sendRange(
  response: ServerResponse,
  content: Uint8Array,
  begin: number,
  wanted: number,
  headers: Record<string, string>,
): void {
  if (begin >= content.length) {
    response.writeHead(416, { "Content-Range": `bytes */${content.length}` }).end();
    return;
  }
  const end = Math.min(wanted, content.length - 1);
  response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${content.length}`, ...headers });
  response.end(content.subarray(begin, end + 1));
}

function notFound(response: ServerResponse): void {
  response.writeHead(404).end("no such file");
}

/** What development servers answer for a path that they do not have. */
export function indexPage(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>The page</title>");
}
