import { excerpt, quote } from "../excerpt.ts";
import { SafetensorsError, type SafetensorsErrorKind } from "./error.ts";

/** A header is three levels deep. The value of an unknown field may be somewhat deeper. */
const MAX_DEPTH = 64;

/** Is called with the text of a value that has not the type asked for. It must throw. */
type Otherwise = (found: string) => never;

/**
 * Reads a header, which is UTF-8 JSON, from front to back; the caller asks for one value after another. `JSON.parse` is not safe
 * for files that anyone can write: of two entries with one name it keeps the last, it accepts half of a surrogate pair in a name,
 * it rounds large integers, and 100 MB of `[],[],…` or of short names take it minutes and gigabytes before they can be checked.
 *
 * @throws SafetensorsError from every method: of kind `not-json` for bad grammar, and `duplicate-name` or `not-utf8`.
 */
export class JsonReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#file = file;
    try {
      this.#text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new SafetensorsError("not-utf8", file, "the header is not UTF-8", "JSON in UTF-8", cause);
    }
    // The format says that the first byte is '{'. The error shows how the file begins, so a pickle or an HTML page is recognised.
    if (this.#text[0] !== "{") {
      const problem = `the header begins with ${quote(this.#text.slice(0, 20))}`;
      throw new SafetensorsError("not-object", file, problem, "a JSON object, with '{' as its first byte");
    }
  }

  /** Reads an object. `member` is called after each name and must read the value. */
  object(member: (name: string) => void, otherwise?: Otherwise): void {
    if (this.peek() !== "{") this.#other(otherwise);
    this.#at++;
    if (this.#take("}")) return;
    const names = new Set<string>();
    do {
      const name = this.string();
      if (names.has(name)) {
        const problem = "the header has this name twice in one object";
        throw new SafetensorsError("duplicate-name", { file: this.#file, tensor: name }, problem, "every name once");
      }
      names.add(name);
      this.#expect(":");
      member(name);
    } while (this.#take(","));
    this.#expect("}");
  }

  string(otherwise?: Otherwise): string {
    if (this.peek() !== '"') this.#other(otherwise);
    const literal = this.#stringLiteral();
    let text: string;
    try {
      text = JSON.parse(literal) as string; // checks escapes, and control characters, which must be escaped
    } catch {
      return this.#fail("not-json", `the header has the bad string ${excerpt(literal)}`, "JSON");
    }
    if (literal.includes("\\") && /\p{Surrogate}/u.test(text)) {
      this.#fail(
        "not-utf8",
        `the header escapes half of a surrogate pair, ${excerpt(literal)}`,
        "text with a UTF-8 form",
      );
    }
    return text;
  }

  /** Reads null, if it stands here. */
  null(): boolean {
    this.peek();
    return this.#word("null");
  }

  /** Reads an array of at most `most` whole numbers from 0 that a double holds exactly. */
  wholeNumbers(most: number, otherwise: Otherwise): number[] {
    this.peek();
    const start = this.#at;
    const numbers = this.#tryWholeNumbers(most);
    if (numbers !== undefined) return numbers;
    this.#at = start;
    return this.#other(otherwise);
  }

  /** Skips a value of any type. Its grammar is checked. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) this.#fail("not-json", `the header nests over ${MAX_DEPTH} levels deep`, "a flat object");
    const next = this.peek();
    if (next === "{") this.#skipMembers("}", depth);
    else if (next === "[") this.#skipMembers("]", depth);
    else if (next === '"') this.string();
    else if (!["true", "false", "null"].some((word) => this.#word(word))) this.#number();
  }

  /** The next character that is not white space, without reading it; "" at the end. */
  peek(): string {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
    return this.#text[this.#at] ?? "";
  }

  /** Checks that nothing follows but white space. */
  end(): void {
    if (this.peek() !== "") this.#unexpected("nothing after the object");
  }

  /** What stands here is of another type than was asked for: it is handed over as text, if it is JSON at all. */
  #other(otherwise: Otherwise = () => this.#unexpected("a string")): never {
    const start = this.#at;
    this.skip();
    return otherwise(excerpt(this.#text.slice(start, this.#at)));
  }

  #tryWholeNumbers(most: number): number[] | undefined {
    const numbers: number[] = [];
    if (!this.#take("[")) return undefined;
    if (this.#take("]")) return numbers;
    do {
      this.peek();
      const start = this.#at;
      this.#digits();
      const digits = this.#text.slice(start, this.#at);
      const number = Number(digits);
      if (!/^(0|[1-9]\d{0,15})$/.test(digits) || !Number.isSafeInteger(number)) return undefined;
      if (numbers.push(number) > most) return undefined;
    } while (this.#take(","));
    return this.#take("]") ? numbers : undefined;
  }

  #skipMembers(close: "}" | "]", depth: number): void {
    this.#at++;
    if (this.#take(close)) return;
    do {
      if (close === "}") {
        this.string();
        this.#expect(":");
      }
      this.skip(depth + 1);
    } while (this.#take(","));
    this.#expect(close);
  }

  #stringLiteral(): string {
    const start = this.#at;
    for (let at = start + 1; at < this.#text.length; at++) {
      if (this.#text[at] === "\\") at++;
      else if (this.#text[at] === '"') {
        this.#at = at + 1;
        return this.#text.slice(start, this.#at);
      }
    }
    return this.#fail("not-json", "the header ends within a string", "JSON");
  }

  #number(): void {
    this.#word("-");
    if (!this.#word("0") && this.#digits() === 0) this.#unexpected("a value");
    if (this.#word(".") && this.#digits() === 0) this.#unexpected("a digit");
    if (this.#word("e") || this.#word("E")) {
      if (!this.#word("+")) this.#word("-");
      if (this.#digits() === 0) this.#unexpected("a digit");
    }
  }

  #digits(): number {
    const start = this.#at;
    while ((this.#text[this.#at] ?? "") >= "0" && (this.#text[this.#at] ?? "") <= "9") this.#at++;
    return this.#at - start;
  }

  #word(word: string): boolean {
    const found = this.#text.startsWith(word, this.#at);
    if (found) this.#at += word.length;
    return found;
  }

  #take(character: string): boolean {
    const found = this.peek() === character;
    if (found) this.#at++;
    return found;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#unexpected(`'${character}'`);
  }

  #unexpected(expected: string): never {
    const found = this.peek() === "" ? "its end" : quote(this.#text.slice(this.#at, this.#at + 20));
    return this.#fail("not-json", `the header is not JSON: at character ${this.#at} comes ${found}`, expected);
  }

  #fail(kind: SafetensorsErrorKind, problem: string, expected: string): never {
    throw new SafetensorsError(kind, this.#file, problem, expected);
  }
}
