import { z } from "zod";

export const depthOptions = z.strictObject({
  /**
   * The answer tokens that are patched and measured: `entity`, those of the expected answer's key words (see `entityTokens`), or all of
   * the `answer`.
   */
  tokens: z.enum(["entity", "answer"]).default("entity"),
  /** From one patched layer to the next: 0, s, 2s, … A stride of 1 patches after every layer. */
  layerStride: z.number().int().min(1).default(1),
  /** Questions about other things that are measured too, to show what general damage does. */
  otherQuestions: z.number().int().min(1).default(5),
});
export type DepthOptions = z.infer<typeof depthOptions>;

const share = z.number().min(0).max(1);
/** By layer, then by question. */
const logProbs = z.array(z.array(z.number()).min(1)).min(1);
const readings = z.strictObject({ logProb: logProbs, first: z.array(z.array(share).min(1)).min(1) });

/** What is measured on the questions of one kind. Log-probabilities are means over a question's measured tokens, in nats. */
const measured = z.strictObject({
  /** How many tokens of each question's answer are measured. */
  tokens: z.array(z.number().int().min(1)).min(1),
  /** Of the vanilla model with the subject's stream patched in, by the layers of `layers`. */
  patched: logProbs,
  /** What the vanilla model's final norm and unembedding read after every layer. The last layer of `vanilla` is the vanilla model as it is. */
  lens: z.strictObject({ vanilla: readings, subject: readings }),
});
export type Measured = z.infer<typeof measured>;

export const depthSchema = z
  .strictObject({
    /** Layers of the model. */
    depth: z.number().int().min(1),
    /** The layers after which the stream was patched, in ascending order. */
    layers: z.array(z.number().int().min(0)).min(1),
    /** Questions about the concept. */
    target: measured,
    /** Questions about other things. */
    unrelated: measured,
  })
  .superRefine(({ depth, layers, target, unrelated }, context) => {
    for (const { tokens, patched, lens } of [target, unrelated]) {
      const read = [lens.vanilla, lens.subject].flatMap(({ logProb, first }) => [logProb, first]);
      const whole = patched.length === layers.length && read.every((list) => list.length === depth);
      if (!whole || [patched, ...read].flat().some(({ length }) => length !== tokens.length))
        context.addIssue({
          code: "custom",
          message: `not every list has ${layers.length} patched or ${depth} read layers of ${tokens.length} questions`,
        });
    }
    if (layers.some((layer, i) => layer >= depth || layer <= (layers[i - 1] ?? -1)))
      context.addIssue({ code: "custom", message: `layers [${layers}] are not ascending layers of ${depth}` });
  });
export type DepthResult = z.infer<typeof depthSchema>;
