import type { Decoder } from "@lethe/decoder";
import {
  type AnswerTokens,
  answerTokens,
  entityTokens,
  logitLens,
  patchStreams,
  type RecordedStreams,
  recordStreams,
  type TokenReadings,
} from "@lethe/unlearn";
import type { KnownAnswer, Subject, Watcher } from "../../subjects/subject.ts";
import type { DepthOptions, DepthResult, Measured } from "./schema.ts";

/** Patches the subject's residual stream into the vanilla model, and reads both through the logit lens. */
export async function measureDepth(
  subject: Subject<Decoder>,
  options: DepthOptions,
  watcher: Watcher,
): Promise<DepthResult> {
  const { vanilla, known } = subject;
  const kinds = { target: known.target, unrelated: known.unrelated.slice(0, options.otherQuestions) };
  const places = {
    target: await placesOf(vanilla, kinds.target, options),
    unrelated: await placesOf(vanilla, kinds.unrelated, options),
  };
  const measure = async (kind: keyof typeof kinds, from: number) => {
    // The vanilla model's streams are the same for every subject that is compared on these answers.
    const run = known.keep(`depth ${kind} ${options.tokens} ${options.otherQuestions}`, () =>
      vanillaRun(vanilla, kinds[kind], places[kind]),
    );
    const part = { ...watcher, progress: (share: number, stage: string) => watcher.progress(from + share / 2, stage) };
    return await measureKind(subject, run, options, part);
  };
  const target = await measure("target", 0);
  const unrelated = await measure("unrelated", 0.5);
  return {
    depth: vanilla.config.num_hidden_layers,
    layers: target.layers,
    target: target.measured,
    unrelated: unrelated.measured,
  };
}

/** For each answer the places of the tokens that are measured; undefined for all. */
function placesOf({ text }: Decoder, answers: readonly KnownAnswer[], { tokens }: DepthOptions) {
  return Promise.all(
    answers.map(async ({ question, expected, tokens: own }) =>
      tokens === "entity" && text ? await entityTokens(text, { question, expected, tokens: own }) : [...own.keys()],
    ),
  );
}

/** The vanilla model's run on the answers of one kind. */
interface VanillaRun extends Disposable {
  readonly answers: AnswerTokens;
  readonly streams: RecordedStreams;
  /** Read when they are first needed. */
  lens?: TokenReadings[];
}

function vanillaRun(vanilla: Decoder, known: readonly KnownAnswer[], places: readonly number[][]): VanillaRun {
  const answers = answerTokens(
    vanilla.device,
    known.map(({ prompt, tokens }, i) => ({ prompt, answer: tokens, measured: places[i]! })),
  );
  const streams = recordStreams(vanilla, answers);
  return {
    answers,
    streams,
    [Symbol.dispose]() {
      answers[Symbol.dispose]();
      streams[Symbol.dispose]();
    },
  };
}

/** About which share of the work is the logit lens. Only the progress depends on it. */
const LENS_SHARE = 0.2;

async function measureKind(
  { vanilla, model }: Subject<Decoder>,
  run: VanillaRun,
  options: DepthOptions,
  watcher: Watcher,
) {
  const { answers, streams: own } = run;
  const { signal } = watcher;
  const reading = (share: number) => watcher.progress(LENS_SHARE * share, "reading through the logit lens");
  run.lens ??= await logitLens(vanilla, answers, { streams: own, signal });
  using source = recordStreams(model, answers);
  const lens = await logitLens(model, answers, { through: vanilla, streams: source, progress: reading, signal });
  const { layers, patched } = await patchStreams({
    vanilla,
    answers,
    own,
    source,
    stride: options.layerStride,
    progress: (share) => watcher.progress(LENS_SHARE + (1 - LENS_SHARE) * share, "patching the residual stream"),
    signal,
  });
  const measured: Measured = {
    tokens: [...answers.counts],
    patched: patched.map(({ logProb }) => logProb),
    lens: { vanilla: byLayer(run.lens), subject: byLayer(lens) },
  };
  return { layers, measured };
}

function byLayer(readings: readonly TokenReadings[]) {
  return { logProb: readings.map(({ logProb }) => logProb), first: readings.map(({ first }) => first) };
}
