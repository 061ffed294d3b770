import { atLeast, instanceOf, options, text } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { Device, type Tensor } from "../tensor.ts";
import { type AdamWOptions, adamwFields, checkGradientScale, ratesOf, trained } from "./adamw.ts";
import { checkShapes } from "./check.ts";
import { checked, f32, u32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { runElements, runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";

/** A moment of n elements in 8 bits: in each block of 256 elements it is the block's scale times what the codes stand for. */
export interface Moment8bit {
  /** Four codes to a word, the lowest bits first: `[⌈n/4⌉]`. */
  readonly codes: Tensor<Shape, "u32">;
  /** The largest magnitude of each block: `[⌈n/256⌉]`. */
  readonly scales: F32;
}

/** Options of {@link adamw8bitStep}. */
export type AdamW8bitOptions = Omit<AdamWOptions, "column">;

const block = 256;
const sizesOf = (elements: number) => ({ codes: Math.ceil(elements / 4), scales: Math.ceil(elements / block) });

/**
 * A moment of a parameter of so many elements, with the value 0: about 1 + 4/256 bytes an element. It belongs to no scope, and the caller
 * disposes of both tensors.
 */
export const zeroMoment8bit = checked(
  "zeroMoment8bit",
  { device: instanceOf(Device), elements: atLeast(1), label: text },
  (device: Device, elements: number, label: string): Moment8bit => {
    const sizes = sizesOf(elements);
    const codes = device.lasting([sizes.codes], "u32", label);
    const scales = device.lasting([sizes.scales], "f32", `${label}, scales`);
    // Whatever the codes stand for, a scale of 0 makes it 0.
    for (const out of [codes, scales]) runElements("fill", { out }, { params: { bits: 0 } });
    return { codes, scales };
  },
);

const moment = options({ codes: u32, scales: f32 });

/**
 * One step of AdamW with moments of 8 bits, quantised in blocks (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"), in
 * place on the parameter and both moments, which start as {@link zeroMoment8bit}. Of the moments m and v of {@link adamwStep}, each block of 256
 * elements in row-major order keeps `max |m|` and, for each element, the entry of the signed dynamic map that is nearest to
 * `m / max |m|`; v likewise, with the map from 0 to 1. The maps are those of bitsandbytes' `create_dynamic_map`. Halfway between two entries the
 * one further from 0 is taken. The parameter is updated from the new moments before they are rounded, as there.
 *
 * In one thing it differs: a second moment above 0 never becomes 0 but at least the smallest entry, 3.25 · 10⁻⁷ of the block's largest. Its
 * root is what a step is divided by, and a first moment that is left beside 0 makes steps that are far too long. So an element whose
 * gradients are below about 4 · 10⁻⁴ of its block's largest takes shorter steps than with f32 moments, not longer ones.
 *
 * A gradient that is not finite makes its element NaN in this step, and the whole block in the next one. Blocks are those of one tensor: a
 * `stretch` of several would share scales among them, and with what lies between.
 * @throws {ShapeError} when the gradient's shape is another, the moments are of another size, or the gradient's scale is not a scalar
 */
export const adamw8bitStep = checked(
  "adamw8bitStep",
  { parameter: trained, gradient: f32, firstMoment: moment, secondMoment: moment, options: options(adamwFields) },
  <S extends Shape>(
    parameter: F32<S>,
    gradient: F32<S>,
    firstMoment: Moment8bit,
    secondMoment: Moment8bit,
    given: AdamW8bitOptions,
  ): void => {
    const { device, size } = parameter;
    const { gradientScale } = given;
    checkShapes("adamw8bitStep", { gradient }, parameter.shape);
    checkGradientScale("adamw8bitStep", gradientScale);
    checkMoments({ firstMoment, secondMoment }, parameter);
    const blocks = Math.ceil(size / block);
    const plan = planRows(device.capabilities, block, blocks);
    const rates = ratesOf(given);
    runItems(device, {
      kernel: "adamw_8bit",
      constants: {
        SCALED: gradientScale !== undefined,
        LANES: plan.LANES,
        ROWS: plan.ROWS,
        VECTORS: Math.ceil(block / 4 / plan.LANES),
      },
      items: blocks,
      workgroups: (count) => Math.ceil(count / plan.ROWS),
      split: {
        parameter: [parameter, block],
        gradient: [gradient, block],
        m: [firstMoment.codes, block / 4],
        v: [secondMoment.codes, block / 4],
        m_scales: [firstMoment.scales, 1],
        v_scales: [secondMoment.scales, 1],
      },
      // A binding must be given even where SCALED leaves it unread.
      whole: { gradient_scale: gradientScale ?? { tensor: gradient, offset: 0, size: 4 } },
      params: (count, start) => Object.assign({ count: Math.min(count * block, size - start * block) }, rates),
    });
  },
);

function checkMoments(moments: Readonly<Record<string, Moment8bit>>, { shape, size }: F32): void {
  const sizes = sizesOf(size);
  for (const [name, { codes, scales }] of Object.entries(moments))
    if (codes.size !== sizes.codes || scales.size !== sizes.scales)
      throw new ShapeError(
        `adamw8bitStep: ${name} has ${codes.size} words of codes and ${scales.size} scales; a parameter ${show(shape)} ` +
          `needs ${sizes.codes} and ${sizes.scales}, as zeroMoment8bit(device, ${size}, …) makes them`,
      );
}
