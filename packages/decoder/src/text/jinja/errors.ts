/** Why a template cannot be rendered; {@link renderChat} names the template around it. */
export class TemplateError extends Error {}

/** An error where Python has one too, or where what the template asks for is too large. */
export function fail(why: string): never {
  throw new TemplateError(why);
}

/** An error where Python may give text. It is thrown in place of text that might differ. */
export function unsupported(what: string): never {
  throw new TemplateError(`${what} is not supported in chat templates`);
}
