import { quote } from "@lethe/tensor";
import { ModelError, schemaProblems } from "../errors.ts";
import { type AddedToken, addedToken, type Fields, type TokenizerFiles } from "./tokenizer-files.ts";

/** The roles that every tokenizer of `transformers` knows, in the order in which their tokens are added. */
const roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** A token with all of its fields. */
export type TokenToAdd = {
  readonly [field in "content" | "special" | "normalized" | "single_word" | "lstrip" | "rstrip"]: NonNullable<
    AddedToken[field]
  >;
};

/** The special tokens that the files beside `tokenizer.json` define. */
export interface SpecialTokens {
  /** By role, such as `bos_token`. Chat templates see them. */
  readonly named: Readonly<Record<string, string>>;
  /** Tokens to add to the tokenizer, in order. A token that is new to the vocabulary gets the next id. */
  readonly added: readonly TokenToAdd[];
}

/**
 * Special and added tokens by the rules of `transformers` 5.23. If `tokenizer_config.json` has `added_tokens_decoder`, the tokens come from
 * there. Otherwise they come from `added_tokens.json` and `tokenizer.json`, and `special_tokens_map.json` overrides
 * `tokenizer_config.json`. A special token that is named but not among them is added.
 * @param own default tokens of the tokenizer's class, by role
 * @param present tokens that the tokenizer already has
 */
export function specialTokens(files: TokenizerFiles, own: Fields, present: readonly AddedToken[]): SpecialTokens {
  const { config } = files;
  const decoder = config.added_tokens_decoder;
  const map = decoder ? {} : files.specialTokensMap;
  const fields: Fields = { ...own, ...config, ...map };
  const extra = extraTokens(config);
  const more = (extra.list ?? extraTokens(map).list ?? []).flatMap((one) => asTokens(one, true));
  // A model may have roles of its own: other fields whose names end in _token, or entries of extra_special_tokens.
  const all: Fields = { ...fields, ...extra.byRole };
  const ownRoles = Object.keys(all).filter((role) => role.endsWith("_token") && !roles.includes(role));
  const named = [...roles, ...ownRoles].flatMap((role) => asTokens(all[role], true).map((token) => ({ role, token })));
  const names = new Set(named.map(({ token }) => token.content));

  const byId: Record<string, unknown> = { ...decoder };
  if (!decoder) {
    const special = new Set([...names, ...(extra.list ?? [])]);
    for (const [content, id] of Object.entries(files.addedTokens))
      byId[id] = { content, special: special.has(content) };
    for (const token of files.json.added_tokens ?? []) byId[token.id] = token;
  }
  // An object lists whole-number keys in ascending order.
  const listed = Object.values(byId).flatMap((token) => asTokens(token, false));
  const known = new Set([...present, ...listed].map(({ content }) => content));
  const missing = [...named.map(({ token }) => token), ...more].filter(({ content }) => !known.has(content));
  return {
    named: Object.fromEntries(named.map(({ role, token }) => [role, token.content])),
    added: [...listed, ...missing].map((token) => (names.has(token.content) ? { ...token, special: true } : token)),
  };
}

/** `extra_special_tokens` is a list, or tokens by role. Older versions called the list `additional_special_tokens`. */
function extraTokens({ extra_special_tokens: extra, additional_special_tokens: additional }: Fields) {
  const list = Array.isArray(extra) ? extra : undefined;
  const older = Array.isArray(additional) ? additional : undefined;
  return {
    list: list?.length ? list : (older ?? list),
    byRole: typeof extra === "object" && !list ? extra : {},
  };
}

/** One token, from its text or its fields; none from any other value. By default special tokens are not normalised. */
function asTokens(value: unknown, special: boolean): TokenToAdd[] {
  if (typeof value === "string") return asTokens({ content: value }, special);
  if (typeof (value as Fields | null | undefined)?.content !== "string") return [];
  const { data, error } = addedToken.safeParse(value);
  if (!data)
    throw new ModelError(`the special token ${quote(value)}: ${schemaProblems(error, value as object).join("; ")}`);
  const { content, single_word = false, lstrip = false, rstrip = false } = data;
  const isSpecial = data.special ?? special;
  return [{ content, special: isSpecial, normalized: data.normalized ?? !isSpecial, single_word, lstrip, rstrip }];
}
