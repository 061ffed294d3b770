/**
 * The name, `org/name`, of the model that a path into a Hugging Face cache leads to: the path of its folder `models--org--name`, or
 * of a snapshot in there.
 * @returns `undefined` for any other path
 */
export function cachedModelName(path: string): string | undefined {
  const [, parts] = /(?:^|[/\\])models--([^/\\]+)(?:[/\\]snapshots[/\\][^/\\]+)?[/\\]?$/.exec(path) ?? [];
  return parts?.replaceAll("--", "/");
}
