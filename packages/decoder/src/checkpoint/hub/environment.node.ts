import { homedir } from "node:os";
import { join } from "node:path";
import { readTextFile } from "@lethe/tensor/node";

// The variables of huggingface_hub, with its defaults:
// https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables

/** Where `huggingface_hub` keeps its downloads. */
export function hubCache(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env;
  return expanded(HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home(), "hub"));
}

/** The Hub's address, where it is another than usual. */
export function hubEndpoint(): string | undefined {
  return process.env.HF_ENDPOINT || undefined;
}

/** Whether the user forbids every request. */
export function hubIsOffline(): boolean {
  return isTrue(process.env.HF_HUB_OFFLINE || process.env.TRANSFORMERS_OFFLINE);
}

/** The user's access token: that of the environment, or the one that `hf auth login` stored. */
export async function hubToken(): Promise<string | undefined> {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN } = process.env;
  if (isTrue(HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const given = HF_TOKEN || HUGGING_FACE_HUB_TOKEN;
  const stored = async () => readTextFile(expanded(HF_TOKEN_PATH || join(home(), "token"))).catch(() => undefined);
  return (given || (await stored()))?.trim() || undefined;
}

function home(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HOME || join(XDG_CACHE_HOME || "~/.cache", "huggingface");
}

function expanded(path: string): string {
  return path
    .replace(/^~(?=[/\\]|$)/, () => homedir())
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare, braced) => process.env[bare ?? braced] ?? whole);
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(value?.toUpperCase() ?? "");
}
