import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { removeAbandonedFiles, writeWhole } from "@lethe/tensor/node";
import { retainConceptOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { ConceptFile } from "../../cells/plan.ts";
import { slug } from "../../cells/slug.ts";
import { copyOfDataFile } from "../../corpus/data-file.ts";
import { type CorpusCount, extract, UNITS, type Unit } from "../../corpus/extract.ts";
import { KeptTexts } from "../../corpus/kept-texts.ts";
import { mentionsOf } from "../../corpus/mentions.ts";
import { conceptRows, csvOf, textTable } from "../../corpus/table.ts";
import { ExperimentError } from "../../errors.ts";
import { bundled } from "../bundled.ts";
import { checkingValues, commandLine, wholeFrom } from "../command-line.ts";
import { formatDuration } from "../duration.ts";
import { chooseConcepts } from "../experiment/choose.ts";
import { Stopped, stoppable } from "../experiment/stop-signals.ts";
import { explain } from "../explain.ts";
import { showProgress } from "../progress.ts";

/** A concept to look for, as it was typed. */
interface Asked {
  readonly name: string;
  readonly aliases: string[];
}

interface Options {
  readonly corpus: string[];
  readonly concept: readonly Asked[];
  readonly data?: string;
  readonly out: string;
  readonly unit: Unit;
  readonly limit: number;
  readonly minMentions?: number;
  readonly matchCase?: true;
  readonly skipMalformed?: true;
}

const DEFAULT_OUT = "out/extract/concepts.json";
const BUNDLED_DATA = Object.values(bundled).map(({ data }) => data);

/** How often a paragraph mentions a concept that it is about. A document of a thousand words may name a thing in passing. */
const MIN_MENTIONS: Readonly<Record<Unit, number>> = { document: 3, passage: 1 };

/** Where the command prints. */
export interface ExtractOutput {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Runs `npm run extract`.
 * @param args the arguments after the program's name
 * @returns the exit code: 0, 1 for an error, 130 after Ctrl-C, 143 after SIGTERM
 */
export async function runExtract(args: readonly string[], { stdout, stderr }: ExtractOutput): Promise<number> {
  const program = command()
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
  try {
    program.parse(args, { from: "user" });
    await run(program.opts<Options>(), { stdout, stderr });
    return 0;
  } catch (error) {
    // Commander has printed its message, or the help, itself.
    if (error instanceof CommanderError) return error.exitCode;
    stderr.write(error instanceof Stopped ? "Stopped.\n" : `${explain(error)}\n`);
    return error instanceof Stopped ? error.exitCode : 1;
  }
}

async function run(options: Options, { stdout, stderr }: ExtractOutput): Promise<void> {
  const { corpus, concept: asked, out, unit, limit } = options;
  const { minMentions = MIN_MENTIONS[unit], matchCase = false, skipMalformed = false } = options;
  if (existsSync(out)) throw new ExperimentError(`--out ${out} is there already. Remove it, or name another file.`);
  const [file, places] = await choose(asked, options.data);
  const names = places.map((place) => file.concepts[place]!.name);
  const patterns = asked.map(({ aliases }, i) => mentionsOf([names[i]!, ...aliases], { matchCase }));
  const folder = dirname(out);
  const stem = basename(out).replace(/\.json$/i, "");
  const textFiles = names.map((name) => `${slug(stem)}-${slug(name)}.jsonl`);
  const writeData = await copyOfDataFile(file.path, out);
  const total = await sizeOf(corpus);
  await removeAbandonedFiles(folder);
  const texts = textFiles.map((name) => new KeptTexts(join(folder, name)));
  const display = showProgress(stderr, 1);
  const startedAt = performance.now();
  try {
    const count = await stoppable(
      (signal) =>
        extract({
          files: corpus,
          patterns,
          unit,
          limit,
          minMentions,
          skipMalformed,
          signal,
          keep: (i, paragraph) => texts[i]!.add(paragraph),
          progress: ({ bytes, documents, concepts }, file) =>
            display.update(
              bytes / total,
              basename(file),
              `${counted(documents)} documents`,
              ...concepts.map(({ kept }, i) => `${names[i]} ${counted(kept)}`),
            ),
        }),
      () => display.line("Stopping; nothing is kept."),
    );
    const found = count.concepts.flatMap(({ kept }, i) => (kept > 0 ? [i] : []));
    const rows = conceptRows(names, count);
    display.stop();
    const seconds = (performance.now() - startedAt) / 1000;
    stdout.write(`${seen(count, corpus, total, seconds)}\n${textTable(rows)}\n`);
    if (found.length === 0)
      throw new ExperimentError(
        `No paragraph is about ${names.join(" or ")}. Give other spellings with --alias, or ask for fewer --min-mentions than ${minMentions}.`,
      );
    for (const i of found) await texts[i]!.close();
    await writeWhole(join(folder, `${stem}.csv`), csvOf(rows));
    await writeData(new Map(found.map((i) => [places[i]!, textFiles[i]!])));
    const kept = found.map((i) => places[i]!);
    stdout.write(`${advice(out, file, kept)}\n`);
  } finally {
    display.stop();
    for (const text of texts) await text.discard();
  }
}

/**
 * The file whose questions go with the texts, and the places of the concepts in it.
 * @throws ExperimentError when no file holds them all, or when one is asked for twice
 */
async function choose(asked: readonly Asked[], data: string | undefined): Promise<[ConceptFile, number[]]> {
  const paths = data === undefined ? BUNDLED_DATA : [data];
  const files = await Promise.all(
    paths.map(async (path) => ({ path, concepts: await loadConcepts(path, { format: "concept-vectors" }) })),
  );
  const chosen = asked.map(({ name }) => chooseConcepts([name], "paper", files));
  const file = files.find((file) => chosen.every((found) => found.get(file)!.length > 0));
  if (!file)
    throw new ExperimentError(
      `Neither ${paths.join(" nor ")} holds all of ${asked.map(({ name }) => name).join(", ")}. Extract them one after another, or give a ` +
        "file of questions with --data.",
    );
  const places = chosen.map((found) => file.concepts.indexOf(found.get(file)![0]!));
  const twice = places.find((place, i) => places.indexOf(place) !== i);
  if (twice === undefined) return [file, places];
  const { name } = file.concepts[twice]!;
  throw new ExperimentError(`--concept ${name} was given twice. Give other spellings of it with --alias.`);
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = files.map(async (file) => {
    const found = await stat(file).catch(() => undefined);
    if (found) return found.size;
    throw new ExperimentError(`--corpus ${file}: there is no such file.`);
  });
  return Math.max(
    1,
    (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
  );
}

/** What was read, and how fast. */
function seen(
  { documents, malformed, bytes, contentBytes }: CorpusCount,
  files: readonly string[],
  total: number,
  seconds: number,
): string {
  const early = bytes < total ? "; ended early, as there are enough paragraphs" : "";
  const left = malformed > 0 ? `, ${counted(malformed)} malformed lines left out` : "";
  return (
    `Saw ${counted(documents)} documents in ${files.length === 1 ? "one file" : `${files.length} files`}${left}: ${mega(contentBytes)} ` +
    `in ${formatDuration(seconds)}, ${Math.round(contentBytes / 1e6 / seconds)} MB/s${early}.`
  );
}

/** What can be done with the result. */
function advice(out: string, { concepts }: ConceptFile, kept: readonly number[]): string {
  const lines = kept.map((place) => {
    const { name } = concepts[place]!;
    const retain = concepts.length > 1 ? retainConceptOf(concepts, place) : undefined;
    const corpus = retain && kept.includes(concepts.indexOf(retain));
    const own =
      retain && !corpus ? `, which is not from the corpus: --concept "${retain.name}" takes it from there too` : "";
    return `  --concept "${name}"${retain ? `   (retain text: that of ${retain.name}${own})` : ""}`;
  });
  return [
    `Written: ${out}. To unlearn these texts: npm run experiment -- --data ${out} --model DIR with`,
    ...lines,
  ].join("\n");
}

function counted(value: number): string {
  return value.toLocaleString("en-US");
}

function mega(bytes: number): string {
  return `${counted(Math.ceil(bytes / 1e6))} MB`;
}

function readUnit(text: string): Unit {
  const unit = UNITS.find((unit) => unit === text);
  if (unit) return unit;
  throw new InvalidArgumentError(`Expected ${UNITS.join(" or ")}.`);
}

const CORPUS_AND_RESULT = `
A corpus file has one JSON object a line, with the document in "text" (RedPajama, Dolma) or "raw_content" (RedPajama-V2). It may be compressed
by gzip or zstd, and of any size: one document at a time is in memory.

The result is a copy of the concept file in which the texts are what is forgotten ("documents"), with one .jsonl of texts a concept beside it
and the columns of the paper's Table 1 as .csv. Texts are split for training into paragraphs of just over 400 characters at sentence ends, as the
released code does.
`;

function command(): Command {
  /** An alias belongs to the concept before it. */
  const asked: Asked[] = [];
  const program = commandLine(
    "extract",
    "Streams a corpus, keeps the paragraphs that are about concepts, and makes of them concept data for npm run experiment -- --data.",
  )
    .addOption(
      new Option("--corpus <file...>", "files of the corpus, in the order in which they are read")
        .argParser((file: string, files: string[] | undefined) => [...(files ?? []), file])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--concept <name>", "a concept of the concept file, by name or number; may be repeated")
        .argParser((name: string) => {
          asked.push({ name, aliases: [] });
          return asked;
        })
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--alias <name>", "another spelling of the --concept before it; may be repeated").argParser(
        (name: string) => {
          if (asked.length === 0) throw new InvalidArgumentError("It has to come after the --concept that it spells.");
          asked.at(-1)!.aliases.push(name);
        },
      ),
    )
    .option(
      "--data <file>",
      `the concept file whose questions go with the texts (default: the one of ${BUNDLED_DATA.join(" and ")} that holds the concepts)`,
    )
    .option("--out <file>", "the concept file to be written", DEFAULT_OUT)
    .option("--limit <number>", "paragraphs of a concept, the first ones; the paper has 6000", wholeFrom(1), 6000)
    .option(
      "--unit <name>",
      "what a paragraph is. document: a whole document, because the paper's have 1514 and 2261 words on average; passage: what the released " +
        "code trains on, just over 400 characters of a document, where they mention the concept themselves",
      readUnit,
      "document",
    )
    .option(
      "--min-mentions <number>",
      `how often a paragraph mentions a concept that it is about (default: ${UNITS.map((unit) => `${MIN_MENTIONS[unit]} for a ${unit}`).join(", ")})`,
      wholeFrom(1),
    )
    .option("--match-case", "tell capitals from small letters, as for Satan or Apple (default: they are alike)")
    .option(
      "--skip-malformed",
      "leave out lines that are no document, and count them (default: the first one is an error)",
    )
    .addHelpText("after", CORPUS_AND_RESULT);
  return checkingValues(program);
}
