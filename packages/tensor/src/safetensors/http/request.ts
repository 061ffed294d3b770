import { unlessAborted } from "../../abort.ts";
import { SafetensorsError } from "../error.ts";

/** The headers that `fetch` takes. Node's types lack the name `HeadersInit`. */
export type RequestHeaders = NonNullable<RequestInit["headers"]>;

/** A file behind a URL, as requests need it. */
export interface RemoteFile {
  readonly name: string;
  readonly headers: RequestHeaders;
  readonly signal?: AbortSignal | undefined;
}

/** A failure that may pass: the connection was lost, or the server was busy. */
class PassingFailure extends SafetensorsError {}

/** No answer came at all. */
class NoAnswer extends PassingFailure {}

/** Statuses that say “later”. */
const BUSY = [408, 429, 500, 502, 503, 504];

/** Waits before a request is made once more. */
const PAUSES_MS = [250, 1000, 4000];

/**
 * Does what a request is made for, and again where it failed in a way that may pass: a long download outlives a short fault.
 * @param answered whether the server has answered before. If not, one that does not answer is not asked again: its address may be wrong.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { signal, answered }: { readonly signal: AbortSignal | undefined; readonly answered: boolean },
): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingFailure) || (error instanceof NoAnswer && !answered)) throw error;
    }
    await unlessAborted(new Promise((resolve) => setTimeout(resolve, pause)), signal);
  }
  return work();
}

/** Asks for a range of a file. The server may answer with the whole file, or with something else. */
export function requestRange(file: RemoteFile, offset: number, length: number): Promise<Response> {
  const headers = new Headers(file.headers);
  headers.set("Range", `bytes=${offset}-${offset + length - 1}`);
  // Without this a server may send a range of the compressed file. Browsers set it themselves for range requests.
  headers.set("Accept-Encoding", "identity");
  return send(file, { headers });
}

/** Sends a request. @throws SafetensorsError of kind `io` where no answer came; the signal's reason where it is aborted */
export async function send({ name, headers, signal }: RemoteFile, init: RequestInit): Promise<Response> {
  signal?.throwIfAborted();
  try {
    return await fetch(name, { headers, ...init, ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const expected = "a reachable server that allows this page's origin";
    throw new NoAnswer("io", name, `the request failed (${reasonOf(cause)})`, expected, cause);
  }
}

/** All bytes of an answer, of at most `most`; `undefined` where there are more. */
export async function bodyOf(
  response: Response,
  { name, signal }: RemoteFile,
  most: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
      bytes += next.value.length;
      if (bytes > most) {
        await reader?.cancel();
        return undefined;
      }
      pieces.push(next.value);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    const problem = `the connection was lost (${reasonOf(cause)})`;
    throw new PassingFailure("io", name, problem, "the whole range; try again", cause);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The error for an answer whose status was not expected. Its body is dropped. */
export async function refusal(response: Response, { name }: RemoteFile): Promise<SafetensorsError> {
  await response.body?.cancel();
  const Kind = BUSY.includes(response.status) ? PassingFailure : SafetensorsError;
  const problem = `the server answered ${response.status} ${response.statusText}`.trimEnd();
  return new Kind("io", name, problem, "status 206; check the URL and the access rights");
}

/** The message of what `fetch` threw. Node hides what happened in the cause of “fetch failed”. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return String(cause instanceof Error ? cause : error);
}
