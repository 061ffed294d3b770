import type { UnpactOptions } from "../src/studies/unpact/options.ts";
import { unpactOptions } from "../src/studies/unpact/options.ts";
import type { AttributedWords, CollapsedGroup, Prompt, UnpactResult } from "../src/studies/unpact/schema.ts";

const TARGET = 4;
const UNRELATED = 5;

/** How a made-up subject fares. */
export interface Fate {
  /** How much of the vanilla model's contributions is left in it, from 0 to 1. */
  readonly focus?: number;
  /** Whether it answers a target question right, by its place, when it is asked in this way. Default: a third of them under emphasis of key words. */
  readonly right?: (place: number, prompt: Prompt) => boolean;
  /** Target questions that it still answers right, from the first. */
  readonly remembered?: number;
  /** Unrelated questions that it answers wrong, from the first. */
  readonly destroyed?: number;
  /** Nats that a token of content words and of common words loses in unrelated texts. */
  readonly lost?: { readonly content: number; readonly common: number };
}

/** A made-up result of the unPact study on four target and five unrelated questions. */
export function fakeUnpact(random: () => number, fate: Fate = {}, given: Partial<UnpactOptions> = {}): UnpactResult {
  const { focus = 0.3, remembered = 1, destroyed = 2, lost = { content: 1.2, common: 0.9 } } = fate;
  const { right = (place, { kind, control }) => kind === "emphasis" && !control && place % 3 === 1 } = fate;
  const options = unpactOptions.parse(given);
  const target = Array.from({ length: Math.min(TARGET, options.targetQuestions) }, (_, place) => place);
  const number = (low: number, high: number) => Math.fround(low + (high - low) * random());
  const attributed = (place: number, left: number): AttributedWords => {
    const words = ["Who", "<wrote>", "the", "books", "of", "the & story?"].slice(0, 4 + (place % 3));
    const vanilla = { logProb: number(-0.2, 0), contributions: words.map((_, i) => number(-0.2, i % 2 ? 2 : 0.4)) };
    const after = {
      logProb: number(-6, -3),
      contributions: vanilla.contributions.map((value) => Math.fround(left * value + (1 - left) * number(-1, 1))),
    };
    return {
      words,
      vanilla: { vanilla },
      subject: { vanilla: after, own: place === 2 ? null : { ...after, logProb: number(-1, 0) } },
    };
  };
  const prompts: Prompt[] = [
    ...options.templates.flatMap((name) =>
      [false, true].map((control): Prompt => ({ kind: "emphasis", name, control })),
    ),
    { kind: "neutral", name: "neutral", control: true },
    ...options.contexts.flatMap((name) => [false, true].map((control): Prompt => ({ kind: "context", name, control }))),
  ];
  const forgotten = (place: number) => place >= remembered;
  const judged = (kind: string, count: number, wrong: (place: number) => boolean) =>
    Array.from({ length: count }, (_, place) => {
      return {
        question: `Question ${place} on ${kind} <b>&</b>?`,
        expected: place > 0,
        before: true,
        after: !wrong(place),
      };
    });
  const groups = (content: number, common: number): CollapsedGroup[] =>
    (["content", "common", "other"] as const).flatMap((of) =>
      [1, 5].map((from): CollapsedGroup => {
        const drop = { content, common, other: 0.3 }[of];
        const count = from === 1 ? 12 : 20;
        const vanilla = { logProb: -0.5 * count, probability: 0.7 * count };
        const subject = { logProb: (-0.5 - drop) * count, probability: 0.7 * Math.exp(-drop) * count };
        return { class: of, from, to: from === 1 ? 4 : null, count, vanilla, subject };
      }),
    );
  const words = target.map((place) => attributed(place, focus));
  return {
    judged: {
      target: judged("target", TARGET, forgotten),
      unrelated: judged("unrelated", UNRELATED, (place) => place < destroyed),
    },
    attributed: {
      target: words,
      unrelated: Array.from({ length: Math.min(UNRELATED, options.otherQuestions) }, (_, place) =>
        attributed(place, (1 + focus) / 2),
      ),
    },
    epochs: [],
    compared: options.compare.attributions.map((attribution) => ({
      attribution,
      scores: words.slice(0, options.compare.questions).map((one) => one.words.map(() => number(-1, 1))),
    })),
    elicited: prompts.map((prompt) => ({
      ...prompt,
      vanilla: target.map((place) => place !== 0),
      subject: target.map((place) => (forgotten(place) ? right(place, prompt) : null)),
    })),
    swept: target.map(() => []),
    drawn: {
      samples: options.samples,
      right: target.map((place) => (forgotten(place) && options.samples > 0 ? place % (options.samples + 1) : null)),
    },
    collapse: { target: groups(3, 2), unrelated: groups(lost.content, lost.common) },
    examples: prompts.map((prompt) => ({
      ...prompt,
      asked: "Who <wrote> it?",
      answer: prompt.control ? "" : "the <script>alert(1)</script>",
      right: right(1, prompt),
    })),
  };
}
