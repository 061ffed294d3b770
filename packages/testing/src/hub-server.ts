import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type FileServer, type Serving, serveFiles } from "./file-server.ts";

/** A repository on the server. */
export interface Repository {
  /** `org/name` */
  readonly name: string;
  readonly commit: string;
  /** Branches and tags that lead to the commit. */
  readonly revisions: readonly string[];
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The token that reads it. Default: everybody may. */
  readonly token?: string;
}

/** From this size on the Hub keeps a file in its large storage. Here it is small, so that both kinds are served. */
const LARGE = 200;

/** The part of the Hugging Face Hub's interface that downloads use, with one repository. */
export function serveHub(repository: Repository, { instead, ...serving }: Serving = {}): Promise<FileServer> {
  const { name, commit, files } = repository;
  const paths = new Map<string, Uint8Array>();
  const headers = new Map<string, Record<string, string>>();
  for (const [file, content] of Object.entries(files)) {
    const { oid, lfs } = entryOf(file, content);
    const at = `/${name}/resolve/${commit}/${file}`;
    paths.set(lfs ? `/large/${lfs.oid}` : at, content);
    headers.set(lfs ? `/large/${lfs.oid}` : at, { ETag: `"${lfs?.oid ?? oid}"` });
  }
  return serveFiles(paths, {
    ...serving,
    headers: (path) => headers.get(path) ?? {},
    async instead(request, response) {
      if (await instead?.(request, response)) return true;
      return answer(repository, request, response);
    },
  });
}

/** Answers what is not a file's content. */
async function answer(repository: Repository, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const { name, commit, revisions, files, token } = repository;
  const [path] = request.url!.split("?");
  if (path!.startsWith("/large/")) return false;
  const json = (value: unknown) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    return true;
  };
  const refuse = (status: number, code: string) => {
    response.writeHead(status, { "X-Error-Code": code }).end();
    return true;
  };
  const known = path!.startsWith(`/api/models/${name}/`) || path!.startsWith(`/${name}/resolve/`);
  if (!known || (token && request.headers.authorization !== `Bearer ${token}`)) return refuse(401, "RepoNotFound");
  const [, what, rest] = /\/(revision|tree|paths-info|resolve)\/(.*)$/.exec(path!)!;
  const [encoded, ...below] = rest!.split("/");
  if (![commit, ...revisions].includes(decodeURIComponent(encoded!))) return refuse(404, "RevisionNotFound");
  const entries = Object.entries(files).map(([file, content]) => entryOf(file, content));
  if (what === "tree") return json(entries);
  if (what === "paths-info") {
    let body = "";
    for await (const piece of request) body += piece;
    const { paths } = JSON.parse(body) as { paths: string[] };
    return json(
      entries.filter((entry) => paths.includes(entry.path)).map((entry) => ({ ...entry, lastCommit: { id: commit } })),
    );
  }
  if (what === "revision") {
    const siblings = entries.map(({ path, size, oid, lfs }) => ({
      rfilename: path,
      size,
      blobId: oid,
      ...(lfs && { lfs: { sha256: lfs.oid, size, pointerSize: 130 } }),
    }));
    return json({
      _id: "1",
      id: name,
      sha: commit,
      private: token !== undefined,
      lastModified: "2026-01-01",
      siblings,
    });
  }
  const large = entries.find((entry) => entry.path === below.join("/"))?.lfs;
  if (!large) return below.join("/") in files ? false : refuse(404, "EntryNotFound");
  const linked = { "X-Linked-ETag": `"${large.oid}"`, "X-Linked-Size": String(large.size) };
  response.writeHead(302, { Location: `/large/${large.oid}`, ...linked }).end();
  return true;
}

/** What the Hub says of a file. */
function entryOf(path: string, content: Uint8Array) {
  const size = content.length;
  const oid = createHash("sha1").update(`blob ${size}\0`).update(content).digest("hex");
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { type: "file", path, size, oid, ...(size >= LARGE && { lfs: { oid: sha256, size, pointerSize: 130 } }) };
}
