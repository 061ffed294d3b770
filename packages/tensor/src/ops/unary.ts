import { oneOf, options } from "../arguments.ts";
import { checked, f32 } from "./checked.ts";
import { map, mapBackward } from "./elementwise.ts";
import { type Ops, type UnaryKind, unaryKinds } from "./ops.ts";

const kindOption = options({ kind: oneOf(unaryKinds) });

/** The branches of `kernels/unary.wgsl` are in the order of the kinds. */
const constantsOf = (kind: UnaryKind) => ({ KIND: unaryKinds.indexOf(kind) });

/** {@inheritDoc DifferentiableOps.unary} @function */
export const unary: Ops["unary"] = checked("unary", { x: f32, options: kindOption }, (x, { kind }) =>
  map("unary", x, { constants: constantsOf(kind) }),
);

/** {@inheritDoc BackwardOps.unaryBackward} @function */
export const unaryBackward: Ops["unaryBackward"] = checked(
  "unaryBackward",
  { x: f32, gradient: f32, options: kindOption },
  (x, gradient, { kind }) => mapBackward("unary", x, gradient, { constants: constantsOf(kind) }),
);
