import { excerpt } from "@lethe/tensor";
import { z } from "zod";
import { ModelError } from "../../errors.ts";
import type { HubName } from "./name.ts";

/** How the Hub is reached. */
export interface HubAccess {
  /** A user's access token, for models that are private or gated. */
  readonly token?: string | undefined;
  /** The Hub's address. Default: `https://huggingface.co`. */
  readonly endpoint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file of a repository. */
export interface HubFile {
  readonly url: string;
  readonly size: number;
  /** What `huggingface_hub` calls its content in the cache: its SHA-256 where the Hub keeps it in its large storage, else its id in Git. */
  readonly blob: string;
}

/** A repository at one commit. */
export interface HubRepository {
  readonly repository: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
  /** Go with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The Hub could not be reached, or has no such model for this user. */
export class HubError extends ModelError {}

const git = z.string().regex(/^[0-9a-f]{40}$/);
const schema = z.object({
  sha: git,
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().min(0),
      blobId: git,
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
    }),
  ),
});

/**
 * Asks the Hub for a repository's commit and files, in one request.
 *
 * `modelInfo` and `listFiles` of the npm package `@huggingface/hub` would take two. Lethe does not use the package: bundlers that look at
 * `exports` alone, such as esbuild, take its Node build for browsers. Lethe's tests hold the two against each other.
 * @throws {HubError} when the Hub cannot be reached or refuses; the message says what to do
 */
export async function findRepository(
  { repository, revision = "main" }: HubName,
  { token, endpoint = "https://huggingface.co", signal }: HubAccess,
): Promise<HubRepository> {
  const hub = endpoint.replace(/\/+$/, "");
  const headers: Readonly<Record<string, string>> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const url = `${hub}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await fetch(url, { headers, ...(signal && { signal }) }).catch((error: Error) => {
    signal?.throwIfAborted();
    throw new HubError(`${hub} could not be reached (${error.cause ?? error.message})`, { cause: error });
  });
  if (!response.ok) throw await refusal(response, hub, { repository, revision }, token !== undefined);
  const { data, error } = schema.safeParse(await response.json().catch(() => undefined));
  if (error) throw new HubError(`${hub} answered for ${repository} with something else than a list of its files`);
  const files = data.siblings.map(({ rfilename: file, size, blobId, lfs }): [string, HubFile] => [
    file,
    {
      url: `${hub}/${repository}/resolve/${data.sha}/${file.split("/").map(encodeURIComponent).join("/")}`,
      size,
      blob: lfs?.sha256 ?? blobId,
    },
  ]);
  return { repository, commit: data.sha, files: new Map(files), headers };
}

/** The error for a status that says no. @param known whether a token was sent */
async function refusal(
  response: Response,
  hub: string,
  { repository, revision }: HubName,
  known: boolean,
): Promise<HubError> {
  const code = response.headers.get("X-Error-Code");
  const said = excerpt((await response.text().catch(() => "")).trim());
  if (code === "RevisionNotFound") return new HubError(`${hub} has ${repository}, and no revision ${revision} of it`);
  if (code === "GatedRepo")
    return new HubError(
      `${repository} is gated: accept its terms on ${hub}/${repository}, and give an access token (HF_TOKEN in Node)`,
    );
  // The Hub answers 401 for what is not there, too, so that nobody can find out what is private.
  if ([401, 403, 404].includes(response.status)) {
    const who = known
      ? "that your access token may read"
      : "that can be read without an access token (HF_TOKEN in Node)";
    return new HubError(`${hub} has no model ${repository} ${who}`);
  }
  return new HubError(`${hub} answered ${response.status} for ${repository}${said && `: ${said}`}`);
}
