import { splitParagraphs, splitWords } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";
import { corpusBytes } from "./bytes.ts";
import { documentOf } from "./documents.ts";
import { linesOf } from "./lines.ts";
import { mentions } from "./mentions.ts";

/** What counts as one paragraph: a whole document, or what the released code makes of one for its training. */
export const UNITS = ["document", "passage"] as const;
export type Unit = (typeof UNITS)[number];

/** Longer than any document of the corpora. The line of a file that has no line feeds must not fill the memory. */
const MAX_LINE_BYTES = 64 * 2 ** 20;

/** What was found about one concept. */
export interface ConceptCount {
  /** Documents that mention it often enough, until the limit was reached. */
  mentioning: number;
  /** Paragraphs that were kept. */
  kept: number;
  /** Words of the kept paragraphs, as Python's `str.split()` counts them. */
  words: number;
}

/** What a pass over a corpus has seen until now. */
export interface CorpusCount {
  documents: number;
  malformed: number;
  /** Read from the disk. */
  bytes: number;
  /** Of the contents, after decompression. */
  contentBytes: number;
  readonly concepts: readonly ConceptCount[];
}

export interface ExtractOptions {
  readonly files: readonly string[];
  /** For each concept, what finds its names; see `mentionsOf`. */
  readonly patterns: readonly RegExp[];
  readonly unit: Unit;
  /** Paragraphs that are kept of each concept: the first ones. */
  readonly limit: number;
  /** A paragraph is about a concept that it mentions so often. */
  readonly minMentions: number;
  /** Counts lines that are no document, rather than to end at the first. */
  readonly skipMalformed: boolean;
  /** Keeps a paragraph of a concept. The pass waits for it. */
  readonly keep: (concept: number, paragraph: string) => Promise<void>;
  readonly progress: (count: CorpusCount, file: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Goes through a corpus of JSON lines once and keeps the paragraphs that are about concepts. Of the corpus only one document is in memory.
 * It ends early when the limit is reached for all concepts.
 * @throws ExperimentError naming file and line of what is no document, or a file that cannot be decompressed
 * @throws the signal's reason when it is aborted
 */
export async function extract(options: ExtractOptions): Promise<CorpusCount> {
  const { files, patterns, unit, limit, minMentions, skipMalformed, keep, progress, signal } = options;
  const concepts = patterns.map((): ConceptCount => ({ mentioning: 0, kept: 0, words: 0 }));
  const count: CorpusCount = { documents: 0, malformed: 0, bytes: 0, contentBytes: 0, concepts };
  const open = () => concepts.some(({ kept }) => kept < limit);
  for (const file of files) {
    if (!open()) break;
    const onRead = (bytes: number) => {
      count.bytes += bytes;
    };
    async function* contents() {
      for await (const piece of corpusBytes(file, onRead)) {
        signal.throwIfAborted();
        count.contentBytes += piece.length;
        yield piece;
        progress(count, file);
      }
    }
    for await (const line of linesOf(contents(), MAX_LINE_BYTES)) {
      const document = documentOf(line);
      if (document === undefined) continue;
      if (typeof document !== "string") {
        if (!skipMalformed) throw malformed(file, line.number, document.problem);
        count.malformed++;
        continue;
      }
      count.documents++;
      for (const [i, concept] of concepts.entries()) {
        if (concept.kept >= limit || !mentions(document, patterns[i]!, minMentions)) continue;
        concept.mentioning++;
        for (const paragraph of paragraphsOf(document, unit, patterns[i]!, minMentions)) {
          if (concept.kept >= limit) break;
          concept.kept++;
          concept.words += splitWords(paragraph).length;
          await keep(i, paragraph);
        }
      }
      if (!open()) break;
    }
  }
  return count;
}

function paragraphsOf(document: string, unit: Unit, pattern: RegExp, minMentions: number): string[] {
  if (unit === "document") return [document];
  return splitParagraphs(document).filter((paragraph) => mentions(paragraph, pattern, minMentions));
}

function malformed(file: string, line: number, problem: string): ExperimentError {
  return new ExperimentError(
    `--corpus ${file}, line ${line}: ${problem}. Expected one JSON object a line, plain or in gzip or zstd, with the document in "text" ` +
      '(RedPajama, Dolma) or "raw_content" (RedPajama-V2). --skip-malformed leaves such lines out and counts them.',
  );
}
