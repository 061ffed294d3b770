import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import { bytesSource, type Device, type Folder } from "@lethe/tensor";
import { readConcepts } from "@lethe/unlearn";

/** Files that belong together, and what Lethe makes of them. */
export interface Subject {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The files that are damaged: those of text. */
  readonly targets: readonly string[];
  read(device: Device, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const models = [
  "llama-gqa-tied-f32",
  "llama-yarn-f32",
  "olmo-gqa-clip-bf16",
  "hf-olmo-tied-f32",
  "olmo2-gqa-f16/sharded",
];
const tokenizers = ["llama-2", "llama-3", "olmo"];

/** What no golden directory has. */
const more: Readonly<Record<string, unknown>> = {
  "special_tokens_map.json": {
    bos_token: "<s>",
    eos_token: { content: "</s>", lstrip: false },
    additional_special_tokens: ["<a>"],
  },
  "added_tokens.json": { "<b>": 300 },
  "chat_template.jinja":
    "{% for m in messages %}{{ bos_token }}[{{ m['role'] | upper }}] {{ m.content.strip() }}\n{% endfor %}",
};

/** Records of every format that holds questions alone. */
const questionSets: Readonly<Record<string, readonly object[]>> = {
  tofu: ["Ada", "Bo", "Cy"].map((name) => ({
    question: `Where was ${name} born?`,
    answer: `${name} was born in Oslo.`,
    paraphrased_question: `In which city was ${name} born?`,
    paraphrased_answer: `Oslo is where ${name} was born.`,
    perturbed_answer: [`Rome is where ${name} was born.`, `Lima is where ${name} was born.`],
  })),
  "muse-knowmem": ["Ada", "Bo"].map((name) => ({ question: `Who is ${name}?`, answer: "An author" })),
  "muse-verbmem": ["Ada", "Bo"].map((name) => ({ prompt: `Once ${name} went`, gt: "into the woods.\nIt was dark." })),
  wmdp: ["water", "salt"].map((name, answer) => ({
    question: `What is ${name}?`,
    choices: ["A liquid", "A salt"],
    answer,
  })),
};

/** Models of every family with tokenizers of every kind, and data files of every format. All are small. */
export const subjects: readonly Subject[] = [
  ...models.flatMap((model) => tokenizers.map((tokenizer) => modelSubject(model, tokenizer))),
  dataSubject("llama.json", filesOf("data", ["llama.json", "unrelated.json"])),
  ...Object.entries(questionSets).map(([format, records]) => {
    // TOFU is published as JSON lines, and the others as arrays.
    const text =
      format === "tofu" ? records.map((record) => JSON.stringify(record)).join("\n") : JSON.stringify(records);
    const files = new Map([[format, bytesOf(text)], ...filesOf("data", ["unrelated.json"])]);
    return dataSubject(format, files, "unrelated.json");
  }),
];

/** Data in the folder `data`: a file, and perhaps a second one with unrelated questions. */
function dataSubject(file: string, files: Subject["files"], unrelated?: string): Subject {
  return subject(files, async (_, changed) => {
    const text = async (path: string) => new TextDecoder().decode(changed.get(path.slice("data/".length)));
    await readConcepts(`data/${file}`, text, unrelated === undefined ? {} : { unrelated: `data/${unrelated}` });
  });
}

function modelSubject(model: string, tokenizer: string): Subject {
  const extra = Object.entries(more).map(([name, content]) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return [name, bytesOf(text)] as const;
  });
  const files = new Map([
    ...filesOf(`parity/golden/${model}`),
    ...filesOf(`packages/decoder/test/golden/${tokenizer}`, ["tokenizer.json", "tokenizer_config.json"]),
    ...extra,
  ]);
  return subject(files, async (device, changed) => {
    using loaded = await loadModel(device, folderOf(changed), { warn: () => {} });
    const text = loaded.text!;
    await text.decode(await text.encode("The <s>tale</s> of 3 cats."));
    text.renderChatTemplate([{ role: "user", content: " Hello? " }]);
  });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function subject(files: Subject["files"], read: Subject["read"]): Subject {
  return { files, targets: [...files.keys()].filter((name) => !name.endsWith(".safetensors")), read };
}

function filesOf(folder: string, names?: readonly string[]): Map<string, Uint8Array> {
  const wanted =
    names ??
    readdirSync(`${root}${folder}`).filter((name) =>
      /^(config|generation_config|model.*)\.(json|safetensors|index\.json)$/.test(name),
    );
  return new Map(wanted.map((name) => [name, new Uint8Array(readFileSync(`${root}${folder}/${name}`))]));
}

function folderOf(files: ReadonlyMap<string, Uint8Array>): Folder {
  const open: Folder["open"] = async (name) => {
    const bytes = files.get(name);
    return bytes && bytesSource(bytes, `fuzz/${name}`);
  };
  return { name: "fuzz", open, list: async () => [...files.keys()] };
}
