/** Deeper than any file that Lethe reads. Code that walks a value recursively must not run out of stack. */
const MAX_DEPTH = 100;

/** Four times as many as the largest published tokenizer of a LLaMA or OLMo has. Ten times as many take a minute and gigabytes. */
const MAX_VALUES = 3_000_000;

/** Numbers that Python writes and JSON does not have. */
const notJson = /-?Infinity|NaN/y;

/**
 * `JSON.parse` for files that anyone can write: a value that nests more than 100 levels deep is refused, and so is a
 * text of more than three million values. `Infinity`, `-Infinity` and `NaN`, which Python writes, become objects such as `{ "__float__": "Infinity" }`, which `transformers` 5 writes in their place. So such a
 * value does no harm in a field that is not used, and is wrong in one that is.
 *
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseJson(text: string): unknown {
  const pieces: string[] = [];
  let depth = 0;
  let values = 0;
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "," || character === "[" || character === "{") values++;
    if (character === '"') at = endOfString(text, at);
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    else if (character === "I" || character === "N" || character === "-") {
      notJson.lastIndex = at;
      const [word] = notJson.exec(text) ?? [];
      if (word === undefined) continue;
      pieces.push(text.slice(copied, at), ` {"__float__":"${word}"} `);
      copied = at + word.length;
      at = copied - 1;
    }
    if (depth > MAX_DEPTH) throw new SyntaxError(`it nests more than ${MAX_DEPTH} levels deep`);
    if (values > MAX_VALUES) throw new SyntaxError(`it has more than ${MAX_VALUES} values`);
  }
  return JSON.parse(pieces.join("") + text.slice(copied));
}

/** Where the string that begins at `start` ends: its closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
