import type { CliParts } from "./cli-parts.ts";
import { experimentCommand } from "./command.ts";
import { withoutOptions } from "./read-command.ts";

/** A command as it was typed. */
export interface Typed {
  readonly command: string;
  readonly arguments: readonly string[];
}

/** A command as it is typed in a shell. */
export function typedCommand({ command, arguments: args }: Typed): string {
  const quoted = args.map((argument) =>
    /^[\w./:=+-]+$/.test(argument) ? argument : `'${argument.replace(/'/g, `'\\''`)}'`,
  );
  return [command, ...quoted].join(" ");
}

/** The command that makes the results again. It is the same for whatever processes made them. */
export function reproducing({
  arguments: args,
  ...parts
}: Typed & Pick<CliParts, "studies" | "stdout" | "stderr">): string {
  return typedCommand({ ...parts, arguments: withoutOptions(args, experimentCommand(parts)) });
}
