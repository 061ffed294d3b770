const includeLine = /^\/\/! include (\S+)$/gm;
const defineLine = /^const (\w+) = (\d+)u; \/\/! define\b/gm;
const conditionalLine = /^.* \/\/! if (\w+) (\d+)$\n/gm;
const unrolledLoop = /^(( *)for \(var (\w+) = 0u; .* \{) \/\/! unroll (\w+)\n([\s\S]*?)^\2\}\n/gm;

/**
 * Source of `name.wgsl` with every `//! include lib/x.wgsl` line replaced by that file, each file once.
 * @param read gives the text of a file by its path inside `kernels/`.
 */
export function includeInto(name: string, read: (file: string) => string): string {
  const seen = new Set<string>();
  const expand = (file: string): string => {
    if (seen.has(file)) return "";
    seen.add(file);
    return read(file).replace(includeLine, (_, inner: string) => expand(inner));
  };
  return expand(`${name}.wgsl`);
}

/** Names of the constants in a kernel's text that {@link define} can set. */
export function definesOf(source: string): Set<string> {
  return new Set([...source.matchAll(defineLine)].map(([, name]) => name!));
}

/**
 * The text, with each line `const NAME = …u; //! define` set to the value that is given for NAME, and of lines that end in `//! if NAME VALUE`
 * only those whose constant has that value. Such lines stand where WGSL allows no `override` constant: for the length of an array in a
 * function, or for a type. A loop whose first line ends in `//! unroll NAME` is written out with
 * NAME turns, or stays one where NAME is 0.
 */
export function define(source: string, values: Readonly<Record<string, number | boolean>>): string {
  const chosen = new Map<string, number>();
  const text = source.replace(defineLine, (_, name: string, usual: string) => {
    chosen.set(name, Number(values[name] ?? usual));
    return `const ${name} = ${chosen.get(name)}u; //! define`;
  });
  const unrolled = (part: string): string =>
    part.replace(unrolledLoop, (_, head: string, indent: string, variable: string, name: string, body: string) => {
      const turns = chosen.get(name)!;
      const inner = unrolled(body);
      const turn = (n: number) => inner.replace(new RegExp(`\\b${variable}\\b`, "g"), () => `${n}u`);
      const close = `${indent}}\n`;
      if (turns === 0) return `${head}\n${inner}${close}`;
      return Array.from({ length: turns }, (_, n) => `${indent}{\n${turn(n)}${close}`).join("");
    });
  return unrolled(
    text.replace(conditionalLine, (line, name: string, value: string) =>
      chosen.get(name) === Number(value) ? line : "",
    ),
  );
}
