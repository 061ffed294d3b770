import type { AddedToken, TokenizerFiles } from "./tokenizer-files.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The roles that every tokenizer of `transformers` knows, in the order in which their tokens are added. */
const roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** What the files beside `tokenizer.json` say of special tokens. */
export interface SpecialTokens {
  /** By role, such as `bos_token`: what chat templates see. */
  readonly named: Readonly<Record<string, string>>;
  /** Tokens to add to the tokenizer, in order: one that is new to the vocabulary gets the next id. */
  readonly added: readonly Required<AddedToken>[];
}

/**
 * Special and added tokens by the rules of `transformers` 5.23. `added_tokens_decoder` of `tokenizer_config.json` counts where there is
 * one; else `special_tokens_map.json` goes over `tokenizer_config.json`, and the tokens are those of `added_tokens.json` and
 * `tokenizer.json`. A special token that is named and not among them is added.
 * @param own tokens by role that the tokenizer's class has where no file says
 * @param present tokens that the tokenizer has already
 */
export function specialTokens(files: TokenizerFiles, own: Fields, present: readonly AddedToken[]): SpecialTokens {
  const { config } = files;
  const decoder = config.added_tokens_decoder as Fields | undefined;
  const map = decoder ? {} : files.specialTokensMap;
  const fields: Fields = { ...own, ...config, ...map };
  const extra = extraTokens(config);
  const more = (extra.list ?? extraTokens(map).list ?? []).flatMap((one) => asTokens(one, true));
  // Beside the common roles a model may have its own, in any other field with such a name, or by role in extra_special_tokens.
  const all: Fields = { ...fields, ...extra.byRole };
  const ownRoles = Object.keys(all).filter((role) => role.endsWith("_token") && !roles.includes(role));
  const named = [...roles, ...ownRoles].flatMap((role) => asTokens(all[role], true).map((token) => ({ role, token })));
  const names = new Set(named.map(({ token }) => token.content));

  const byId: Record<string, unknown> = { ...decoder };
  if (!decoder) {
    const special = new Set([...names, ...(extra.list ?? [])]);
    for (const [content, id] of Object.entries(files.addedTokens))
      byId[Number(id)] = { content, special: special.has(content) };
    for (const token of files.json.added_tokens ?? []) byId[token.id] = token;
  }
  // Keys that are whole numbers come in ascending order.
  const listed = Object.values(byId).flatMap((token) => asTokens(token, false));
  const known = new Set([...present, ...listed].map(({ content }) => content));
  const missing = [...named.map(({ token }) => token), ...more].filter(({ content }) => !known.has(content));
  return {
    named: Object.fromEntries(named.map(({ role, token }) => [role, token.content])),
    added: [...listed, ...missing].map((token) => (names.has(token.content) ? { ...token, special: true } : token)),
  };
}

/** `extra_special_tokens` is a list or tokens by role; `additional_special_tokens` is what older versions called the list. */
function extraTokens({ extra_special_tokens: extra, additional_special_tokens: additional }: Fields) {
  const list = Array.isArray(extra) ? extra : undefined;
  const older = Array.isArray(additional) ? additional : undefined;
  return {
    list: list?.length ? list : (older ?? list),
    byRole: typeof extra === "object" && !list ? extra : {},
  };
}

/** One token, from its text or its fields; none from anything else. Where it is not said, special tokens are not normalised. */
function asTokens(value: unknown, special: boolean): Required<AddedToken>[] {
  const token = typeof value === "string" ? { content: value } : (value as AddedToken | null | undefined);
  if (typeof token?.content !== "string") return [];
  const { content, single_word = false, lstrip = false, rstrip = false } = token;
  const isSpecial = token.special ?? special;
  return [{ content, special: isSpecial, normalized: token.normalized ?? !isSpecial, single_word, lstrip, rstrip }];
}
