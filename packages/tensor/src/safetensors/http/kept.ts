/** The name of Lethe's part of the browser's storage. */
const CACHE = "lethe-files";

/** Ranges of one state of a file that a browser keeps. */
export interface Kept {
  get(offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/**
 * What the browser keeps of a file; `undefined` where it can keep nothing: in Node, on a page that is not served securely, or where
 * nothing tells one state of the file from another. What is kept of other states is deleted.
 *
 * The Cache API takes no answers of status 206, so each range is kept as an answer of its own, under a URL that no host has.
 */
export async function keptFile(url: string, version: string | undefined, size: number): Promise<Kept | undefined> {
  if (version === undefined || typeof caches === "undefined") return undefined;
  const cache = await caches.open(CACHE);
  const state = `${size} ${version}`;
  for (const { url: key } of await cache.keys()) {
    const fields = new URL(key).searchParams;
    if (fields.get("file") === url && fields.get("state") !== state) await cache.delete(key);
  }
  const keyOf = (offset: number, length: number) =>
    `https://kept.invalid/?${new URLSearchParams({ file: url, state, range: `${offset} ${length}` })}`;
  return {
    async get(offset, length) {
      const response = await cache.match(keyOf(offset, length));
      const bytes = response && new Uint8Array(await response.arrayBuffer());
      return bytes?.length === length ? bytes : undefined;
    },
    async put(offset, bytes) {
      // Where the storage is full, what was fetched is used all the same.
      await cache.put(keyOf(offset, bytes.length), new Response(bytes)).catch(() => {});
    },
  };
}

/** Deletes all that `keep` kept in this browser for this page's origin. In Node there is nothing to delete. */
export async function forgetKept(): Promise<void> {
  if (typeof caches !== "undefined") await caches.delete(CACHE);
}
