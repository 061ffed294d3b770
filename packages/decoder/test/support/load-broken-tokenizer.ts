/** A process that does nothing but load a tokenizer which ends the native library, many times, and says what came of it. */
import { memoryFolder } from "@lethe/testing/memory-folder";
import { readText } from "../../src/index.ts";

const prefix = "#".repeat(300);
const model = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"], continuing_subword_prefix: prefix };
const folder = memoryFolder({ "tokenizer.json": { version: "1.0", added_tokens: [], model } });
let errors = 0;
for (let i = 0; i < 20; i++) await readText(folder).catch(() => errors++);
console.log(`${errors} errors`);
