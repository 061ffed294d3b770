import { SafetensorsError } from "./error.ts";
import { type ByteSource, checkRange } from "./source.ts";

/** The headers that `fetch` takes. Node's types lack the name `HeadersInit`. */
export type RequestHeaders = NonNullable<RequestInit["headers"]>;

/**
 * A file behind a URL, read with HTTP range requests; the server must support them. A page on another origin also needs it to
 * allow the `Range` header and to expose `Content-Range` or `Content-Length`, as the Hugging Face Hub does.
 *
 * @param headers sent with every request, such as an `Authorization`.
 * @throws SafetensorsError of kind `not-found`, `io` (any other failure) or `no-ranges`.
 */
export async function httpSource(url: string | URL, headers: RequestHeaders = {}): Promise<ByteSource> {
  const source = await findHttpSource(url, headers);
  if (source !== undefined) return source;
  throw new SafetensorsError("not-found", String(url), "the server answered 404", "the URL of a file");
}

/** As `httpSource`, with `undefined` where the server has no such file. */
export async function findHttpSource(url: string | URL, headers: RequestHeaders = {}): Promise<ByteSource | undefined> {
  const name = String(url);
  const size = await remoteSize(name, headers);
  if (size === undefined) return undefined;
  return {
    name,
    size,
    async read(offset, length) {
      checkRange(name, size, offset, length);
      if (length === 0) return new Uint8Array(0); // HTTP cannot ask for an empty range
      const response = await request(name, headers, offset, length);
      await expectPartial(response, name);
      const total = totalSize(response);
      if (total !== undefined && total !== size) {
        const problem = `it was ${size} bytes long when opened and is ${total} now`;
        throw new SafetensorsError("io", name, problem, "a file that stays as it is; open it again");
      }
      const bytes = await body(response, name);
      if (bytes.length !== length) {
        const problem = `the server sent ${bytes.length} bytes for a range of ${length} at ${offset}`;
        throw new SafetensorsError("truncated", name, problem, "exactly the range asked for");
      }
      return bytes;
    },
  };
}

/** Asks for one byte. The answer shows that ranges work, and holds the size of the whole file. */
async function remoteSize(name: string, headers: RequestHeaders): Promise<number | undefined> {
  const response = await request(name, headers, 0, 1);
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const total = totalSize(response);
  if (response.status === 416 && total === 0) {
    await response.body?.cancel();
    return 0;
  }
  await expectPartial(response, name);
  await response.body?.cancel();
  if (total !== undefined) return total;
  // A page on another origin sees Content-Range only where the server exposes it, but it sees the Content-Length of a HEAD.
  const head = await send(name, { method: "HEAD", headers });
  const length = head.headers.get("Content-Length");
  if (head.ok && length !== null && /^\d+$/.test(length)) return Number(length);
  const expected = "a server that exposes Content-Range or answers HEAD with Content-Length";
  throw new SafetensorsError("no-ranges", name, "the server does not say its size", expected);
}

function request(name: string, headers: RequestHeaders, offset: number, length: number): Promise<Response> {
  const ranged = new Headers(headers);
  ranged.set("Range", `bytes=${offset}-${offset + length - 1}`);
  // Without this a server may send a range of the compressed file. Browsers set it themselves for range requests.
  ranged.set("Accept-Encoding", "identity");
  return send(name, { headers: ranged });
}

async function send(name: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(name, init);
  } catch (cause) {
    const expected = "a reachable server that allows this page's origin";
    throw new SafetensorsError("io", name, `the request failed (${cause})`, expected, cause);
  }
}

async function body(response: Response, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new SafetensorsError("io", name, `the connection was lost (${cause})`, "the whole range; try again", cause);
  }
}

/** Accepts status 206 only. A 200 would carry the whole file, perhaps hundreds of gigabytes, so its body is dropped unread. */
async function expectPartial(response: Response, name: string): Promise<void> {
  if (response.status === 206) return;
  await response.body?.cancel();
  if (response.status === 200) {
    const problem = "the server ignored the Range header and sent the whole file";
    throw new SafetensorsError("no-ranges", name, problem, "a server with range requests (status 206)");
  }
  const problem = `the server answered ${response.status} ${response.statusText}`.trimEnd();
  throw new SafetensorsError("io", name, problem, "status 206; check the URL and the access rights");
}

/** The N of `Content-Range: bytes a-b/N`, where the page can see it. */
function totalSize(response: Response): number | undefined {
  const match = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
  return match ? Number(match[1]) : undefined;
}
