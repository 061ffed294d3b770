import { type Decoder, fewLengths } from "@lethe/decoder";
import { Hooks } from "@lethe/hooks";
import { type F32, ops as kernels, LetheError } from "@lethe/tensor";
import { anyObject, checked, listOf, optional } from "@lethe/tensor/checked";
import { labelledBatch } from "../data/labelled.ts";
import { decoder, tokens } from "../kinds.ts";
import type { RoleTexts, Texts } from "./batches.ts";
import { type Objective, type Quantity, type Role, roles, type TextPass } from "./method.ts";
import { computePerToken, countedTokens, lossPerToken, type PassOptions } from "./per-token.ts";
import type { BatchReferences, ComputeReferences } from "./references/form.ts";

/**
 * A model's pass over texts, in tokens. Its tensors belong to the innermost open scope.
 * @param options for each run of the model, such as a tape's `ops`
 * @function
 */
export const passOver = checked(
  "passOver",
  { model: decoder, texts: listOf(tokens), options: optional(anyObject) },
  (model: Decoder, texts: Texts, { checkpoint, ...options }: PassOptions = {}): TextPass => {
    const batch = labelledBatch(model.device, texts, { padTo: fewLengths });
    const counted = countedTokens(model.device, texts, batch);
    const at: TextPass["at"] = (site, layer) => {
      let seen: F32 | undefined;
      // This edit changes nothing. A capture would also hold the tensor of the second run of a checkpointed block, and nobody would release it.
      const hooks = new Hooks().edit(
        site,
        (x) => {
          seen ??= x.retain();
          return x;
        },
        { layers: [layer] },
      );
      model.forward(batch, { ...options, hooks, upTo: "resid" });
      model.device.own(seen!);
      return seen!;
    };
    return {
      labels: batch.labels,
      sequences: counted.sequences,
      logits: () => model.forward(batch, options),
      tokenLosses: () => lossPerToken(model, batch, counted, { checkpoint, ...options }),
      perToken: (compute) => computePerToken(model, batch, counted, compute, { checkpoint, ...options }),
      at,
      atTokens(site, layer) {
        const { ops = kernels } = options;
        const whole = at(site, layer);
        const [sequences, columns, ...rest] = whole.shape as [number, number, ...number[]];
        if (`${[sequences, columns]}` !== `${batch.labels.shape}`)
          throw new LetheError(`atTokens: ${site} has shape [${whole.shape}]; expected [${batch.labels.shape}, …]`);
        const rows = model.device.tensor(counted.rows, [counted.rows.length], "u32", "rows of tokens");
        return ops.gatherRows(ops.reshape(whole, { shape: [sequences * columns, ...rest] }), rows);
      },
    };
  },
);

/** What an objective compares with, computed with the model as it is now. The tensors belong to no scope; the caller disposes of them. */
export function computeReferences(
  model: Decoder,
  { reference = {} }: Objective,
  texts: RoleTexts,
): ReturnType<ComputeReferences> {
  const computed = Object.entries(reference).map(([role, quantity]: [string, Quantity]) => {
    using _ = model.device.scope("reference model");
    return [role, quantity(kernels, passOver(model, texts[role as Role]!)).retain()];
  });
  return Object.fromEntries(computed);
}

/** An objective's loss on one batch of texts. */
export function lossOf(
  model: Decoder,
  objective: Objective,
  { texts, references }: { readonly texts: RoleTexts; readonly references: BatchReferences },
  options: PassOptions & Required<Pick<PassOptions, "ops">>,
): F32 {
  const passFor = (role: Role) => {
    const reference = () =>
      references[role] ?? undeclared(`compares with the reference model on ${role} text`, "reference");
    return {
      ...passOver(model, texts[role]!, options),
      get reference() {
        return reference().whole();
      },
      get referenceShape() {
        return reference().shape;
      },
      referenceRows: (start: number, end: number) => reference().rows(start, end),
    };
  };
  const passes = Object.fromEntries(objective.reads.map((role) => [role, passFor(role)]));
  for (const role of roles)
    if (!(role in passes))
      Object.defineProperty(passes, role, { get: () => undeclared(`reads ${role} text`, "reads") });
  return objective.loss(options.ops, passes as Parameters<Objective["loss"]>[1]);
}

function undeclared(what: string, field: keyof Objective): never {
  throw new LetheError(`the objective ${what}, which its \`${field}\` does not declare`);
}
