/** A model on the Hugging Face Hub. */
export interface HubName {
  /** `org/name` */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision?: string;
}

const named = /^(?<repository>\w[\w.-]*\/\w[\w.-]*)(?:@(?<revision>\w[\w./-]*))?$/;

/** Reads `org/name` or `org/name@revision`; `undefined` for any other text. */
export function hubName(place: string): HubName | undefined {
  const { repository, revision } = named.exec(place)?.groups ?? {};
  if (repository === undefined || place.includes("..")) return undefined;
  return { repository, ...(revision !== undefined && { revision }) };
}

/**
 * The name, `org/name`, of the model that a path into a Hugging Face cache leads to: the path of its folder `models--org--name`, or
 * of a snapshot in there.
 * @returns `undefined` for any other path
 */
export function cachedModelName(path: string): string | undefined {
  const [, parts] = /(?:^|[/\\])models--([^/\\]+)(?:[/\\]snapshots[/\\][^/\\]+)?[/\\]?$/.exec(path) ?? [];
  return parts?.replaceAll("--", "/");
}
