import { SafetensorsError } from "../error.ts";
import { type ByteSource, bytesSource, checkRange, MAX_WHOLE_BYTES } from "../source.ts";
import { type Kept, keptFile } from "./kept.ts";
import { isPage, notTheFile, pageInstead } from "./kind.ts";
import { bodyOf, patiently, type RemoteFile, type RequestHeaders, refusal, requestRange, send } from "./request.ts";

/** How files are fetched. */
export interface HttpOptions {
  /** Sent with every request, such as an `Authorization`. */
  readonly headers?: RequestHeaders;
  /**
   * Whether a browser keeps the ranges that are read in its storage, so that they are fetched once. Each file is still asked for, to
   * see whether it has changed. A file is kept only where its server shows an `ETag` or `Last-Modified`. `forgetKept` empties the
   * storage. Node keeps nothing.
   */
  readonly keep?: boolean;
}

/** How one file is fetched. */
export interface HttpSourceOptions extends HttpOptions {
  /** Ends what is under way; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What stands for the content, such as its hash, where the URL is that of one content for ever. Default: `ETag`, or else
   * `Last-Modified`, which must stay as it is while the file is read.
   */
  readonly version?: string;
}

/** A file, or why it is not there. */
export type Found = { readonly source: ByteSource } | { readonly absent: string };

/** Asked for when a file is opened. Most small files are no longer, and most headers of checkpoints. */
const FIRST_BYTES = 2 ** 18;

/**
 * A file behind a URL, read with HTTP range requests. A server without them will do for a file of up to 64 MiB, which is then in memory
 * as a whole. A page on another origin also needs the server to allow the `Range` header and to expose `Content-Range` or
 * `Content-Length`, as the Hugging Face Hub does. A request that fails because the connection was lost or the server was busy is made
 * again, three times.
 *
 * @throws SafetensorsError of kind `not-found`, `io` (any other failure) or `no-ranges`; the signal's reason where it is aborted
 */
export async function httpSource(url: string | URL, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const found = await findHttpSource(url, options);
  if ("source" in found) return found.source;
  throw new SafetensorsError("not-found", String(url), found.absent, "the URL of a file");
}

/**
 * As `httpSource`, or why there is no such file: the server says so, or it answers with a page of HTML, or with content that cannot be
 * the file's.
 */
export function findHttpSource(url: string | URL, options: HttpSourceOptions = {}): Promise<Found> {
  return patiently(() => openFile(url, options), { signal: options.signal, answered: false });
}

async function openFile(url: string | URL, { headers = {}, signal, keep, version }: HttpSourceOptions): Promise<Found> {
  const file: RemoteFile = { name: String(url), headers, signal };
  const response = await requestRange(file, 0, FIRST_BYTES);
  const { status } = response;
  const drop = () => response.body?.cancel();
  if (status === 404 || status === 410) {
    await drop();
    return { absent: `the server answered ${status}` };
  }
  if (status === 416 && totalSize(response) === 0) {
    await drop();
    return { source: bytesSource(new Uint8Array(0), file.name) };
  }
  if (status !== 200 && status !== 206) throw await refusal(response, file);
  if (isPage(response)) {
    await drop();
    return { absent: pageInstead(response) };
  }
  const bytes = status === 200 ? await wholeBody(response, file) : await rangeBody(response, file, FIRST_BYTES);
  const absent = notTheFile(file.name, response, bytes);
  if (absent !== undefined) return { absent };
  if (status === 200) return { source: bytesSource(bytes, file.name) };
  const size = await sizeOf(response, file, bytes.length);
  if (bytes.length < Math.min(size, FIRST_BYTES)) throw otherRange(file, [0, FIRST_BYTES], ["0", bytes.length]);
  const stateNow = version === undefined ? stateOf : () => version;
  const state = stateNow(response);
  const kept = keep ? await keptFile(file.name, state, size) : undefined;
  return { source: rangedSource(file, { size, stateNow, state, first: bytes }, kept) };
}

/** What is known of a file from its first range. */
interface Opened {
  readonly size: number;
  /** Tells from an answer which state the file is in. */
  readonly stateNow: (response: Response) => string | undefined;
  readonly state: string | undefined;
  readonly first: Uint8Array<ArrayBuffer>;
}

function rangedSource(file: RemoteFile, { size, stateNow, state, first }: Opened, kept: Kept | undefined): ByteSource {
  const { name, signal } = file;
  const fetchRange = async (offset: number, length: number) => {
    const response = await requestRange(file, offset, length);
    if (response.status !== 206) throw await refusal(response, file);
    const total = totalSize(response) ?? size;
    if (total !== size || stateNow(response) !== state) {
      await response.body?.cancel();
      const problem = total === size ? "it has changed" : `it was ${size} bytes long when opened and is ${total} now`;
      throw new SafetensorsError("io", name, problem, "a file that stays as it is; open it again");
    }
    const begin = /^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "")?.[1];
    const bytes = await rangeBody(response, file, length);
    if (bytes.length < length || (begin !== undefined && Number(begin) !== offset))
      throw otherRange(file, [offset, length], [begin, bytes.length]);
    return bytes;
  };
  const readRange = async (offset: number, length: number) => {
    const old = await kept?.get(offset, length);
    if (old) return old;
    const bytes = await patiently(() => fetchRange(offset, length), { signal, answered: true });
    await kept?.put(offset, bytes);
    return bytes;
  };
  return {
    name,
    size,
    async read(offset, length) {
      checkRange(name, size, offset, length);
      signal?.throwIfAborted();
      const end = offset + length;
      if (length === 0) return new Uint8Array(0); // HTTP cannot ask for an empty range.
      if (offset >= first.length) return readRange(offset, length);
      if (end <= first.length) return first.slice(offset, end);
      const bytes = new Uint8Array(length);
      bytes.set(first.subarray(offset));
      bytes.set(await readRange(first.length, end - first.length), first.length - offset);
      return bytes;
    },
  };
}

/** The body of a 200. Above what may be in memory as a whole it is dropped unread. */
async function wholeBody(response: Response, file: RemoteFile): Promise<Uint8Array<ArrayBuffer>> {
  const stated = Number(response.headers.get("Content-Length") ?? 0);
  const bytes = stated > MAX_WHOLE_BYTES ? undefined : await bodyOf(response, file, MAX_WHOLE_BYTES);
  if (bytes) return bytes;
  await response.body?.cancel().catch(() => {});
  const problem = `the server ignored the Range header, and the whole file has over ${MAX_WHOLE_BYTES} bytes`;
  const expected =
    "a server that answers ranges with status 206, as nginx, Caddy, Vite and `npx serve` do and Python's http.server does not; " +
    "in a browser, filesFolder(files) reads files that a person picks";
  throw new SafetensorsError("no-ranges", file.name, problem, expected);
}

async function rangeBody(response: Response, file: RemoteFile, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await bodyOf(response, file, length);
  if (bytes) return bytes;
  const problem = `the server sent over ${length} bytes for a range of ${length}`;
  throw new SafetensorsError("io", file.name, problem, "exactly the range asked for");
}

function otherRange(
  { name }: RemoteFile,
  [offset, length]: readonly [number, number],
  [begin = String(offset), sent]: readonly [string | undefined, number],
): SafetensorsError {
  const problem = `the server sent ${sent} bytes from ${begin} on for a range of ${length} from ${offset} on`;
  return new SafetensorsError("truncated", name, problem, "exactly the range asked for");
}

/**
 * The size of a whole file. A page on another origin sees Content-Range only where the server exposes it, but it sees where a first range
 * ends early, and the Content-Length of a HEAD.
 */
async function sizeOf(response: Response, file: RemoteFile, received: number): Promise<number> {
  const total = totalSize(response);
  if (total !== undefined) return total;
  if (received < FIRST_BYTES) return received;
  const head = await send(file, { method: "HEAD" });
  const length = head.headers.get("Content-Length");
  if (head.ok && length !== null && /^\d+$/.test(length)) return Number(length);
  const expected = "a server that exposes Content-Range or answers HEAD with Content-Length";
  throw new SafetensorsError("no-ranges", file.name, "the server does not say its size", expected);
}

/** The N of `Content-Range: bytes a-b/N`, where the page can see it. */
function totalSize(response: Response): number | undefined {
  const match = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
  return match ? Number(match[1]) : undefined;
}

/** What differs between two states of a file, where the server shows it. */
function stateOf({ headers }: Response): string | undefined {
  return headers.get("ETag") ?? headers.get("Last-Modified") ?? undefined;
}
