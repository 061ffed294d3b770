import * as library from "@huggingface/tokenizers";
import type { KnownModel } from "../known-parts.ts";
import { byteToken } from "./bytes.ts";

/** Joins the characters of a word by the merges. The library's own types are not found from modules of Node's kind. */
interface BytePairs {
  bpe(word: string): readonly string[];
}
const BPE = (library as unknown as { BPE: new (model: object) => BytePairs }).BPE;

const encoder = new TextEncoder();

/** Byte-pair encoding of one word after another. */
export class Merges {
  readonly #pairs: BytePairs;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #model: KnownModel;
  readonly #cut: RegExp | undefined;

  constructor(model: KnownModel) {
    this.#pairs = new BPE({ vocab: model.vocab, merges: model.merges.map(pairOf) });
    this.#ids = new Map(Object.entries(model.vocab));
    this.#model = model;
    this.#cut = cutsBeforeSpaces(model) ? /(?<=[^▁])(?=▁)/u : undefined;
  }

  /** @throws {Error} when a character is unknown, and so is the token for unknown ones */
  encode(word: string): number[] {
    const own = this.#model.ignore_merges ? this.#ids.get(word) : undefined;
    if (own !== undefined) return [own];
    const sayable = this.#sayable(word);
    const parts = this.#cut ? sayable.split(this.#cut) : [sayable];
    const ids: number[] = [];
    let unknown = false;
    for (const piece of parts.flatMap((part) => this.#pairs.bpe(part))) {
      const id = this.#ids.get(piece);
      const spelt = id === undefined ? this.#spell(piece) : [id];
      // Unknown characters in a row are one token, where the model fuses them.
      if (spelt) ids.push(...spelt);
      else if (!(unknown && this.#model.fuse_unk)) ids.push(this.#unknown());
      unknown = !spelt;
    }
    return ids;
  }

  /** The word without characters that no token can stand for: what is around them is merged. */
  #sayable(word: string): string {
    if (this.#model.byte_fallback || this.#model.unk_token != null) return word;
    let known = "";
    for (const character of word) if (this.#ids.has(character)) known += character;
    return known;
  }

  /** A character as tokens for its bytes. */
  #spell(character: string): number[] | undefined {
    if (!this.#model.byte_fallback) return undefined;
    return Array.from(encoder.encode(character), (byte) => this.#ids.get(byteToken(byte))!);
  }

  #unknown(): number {
    const unk_token = this.#model.unk_token!;
    const id = this.#ids.get(unk_token);
    if (id === undefined) throw new Error(`the token for unknown characters, ${unk_token}, is not in the vocabulary`);
    return id;
  }
}

/** The two tokens of a merge. */
function pairOf(merge: KnownModel["merges"][number]): readonly string[] {
  return typeof merge === "string" ? merge.split(" ") : merge;
}

/**
 * Whether each word of a text can be encoded by itself, where the text is not cut (LLaMA-1 and 2): no token reaches over the ▁ between two
 * words. Long texts take much longer as a whole.
 */
function cutsBeforeSpaces({ vocab, ignore_merges }: KnownModel): boolean {
  return !ignore_merges && Object.hasOwn(vocab, "▁") && !Object.keys(vocab).some((token) => /[^▁]▁/u.test(token));
}
