import { excerpt } from "../../excerpt.ts";

/**
 * Why an answer is not the file that was asked for; `undefined` where it may be. A development server, and a host of a page that routes
 * by itself, answers an absent file with its index page and status 200.
 *
 * @param beginning the first bytes of the answer
 */
export function notTheFile(name: string, response: Response, beginning: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(beginning.subarray(0, 200)).trimStart();
  if (isPage(response) || /^<(!doctype|html|head|body)\b/i.test(text)) return pageInstead(response);
  // A server that answers with a range knows the file. If it is damaged, its reader can say how.
  if (response.status === 206 || ofKind(name, text, beginning)) return undefined;
  return `the server answered with status ${response.status} and ${text === "" ? "nothing" : excerpt(text)}`;
}

/** Whether an answer says that it is a page of HTML, which no file of a checkpoint is. */
export function isPage(response: Response): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(response.headers.get("Content-Type") ?? "");
}

export function pageInstead({ status }: Response): string {
  return `the server answered with status ${status} and a page of HTML`;
}

/** Whether content can be that of a file of this name, as far as its ending tells. */
function ofKind(name: string, text: string, bytes: Uint8Array): boolean {
  const ending = /\.[a-z]+$/.exec(new URL(name).pathname)?.[0];
  if (ending === ".json") return /^[{["]/.test(text);
  // After eight bytes of length comes JSON. What Git LFS leaves in place of a file has an error of its own.
  if (ending === ".safetensors") return bytes[8] === 0x7b || text.startsWith("version ");
  return true;
}
