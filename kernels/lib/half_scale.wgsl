// f16 ends at 65504 and keeps all its digits down to 2⁻¹⁴ only: too little for gradients. So an operand is multiplied by a power of two that
// takes its largest magnitude to 2¹⁴ … 2¹⁵, which changes no digit, and the sum is divided by it. What is lost lies 2⁻³⁸ below the largest.
// An operand whose largest is infinite or NaN, and one of zeros, are left as they are; so is one that is stored as f16 (its slots are 0).
// Bindings: largest, as half_largest.wgsl writes it.

@group(0) @binding(5) var<storage, read> largest: array<vec4u>;

// Slots of one operand, four to a vector.
const SLOTS = 64u;

var<workgroup> tops: array<vec4u, SLOTS * 2u>;
var<private> scale_a: f32;
var<private> scale_b: f32;

fn power_of_two(exponent: i32) -> f32 { return bitcast<f32>(u32(exponent + 127) << 23u); }

fn scale_of(operand: u32) -> f32 {
  var top = vec4u();
  for (var i = 0u; i < SLOTS; i++) { top = max(top, tops[operand * SLOTS + i]); }
  let bits = max(max(top.x, top.y), max(top.z, top.w));
  let exponent = i32(bits >> 23u);
  if (bits == 0u || exponent == 255) { return 1.0; }
  return power_of_two(min(141 - exponent, 126));
}

// Every lane of the workgroup calls it; there are 64 or more.
fn find_scales(lane: u32) {
  if (lane < SLOTS) {
    tops[lane] = largest[lane];
    tops[SLOTS + lane] = largest[SLOTS + lane];
  }
  workgroupBarrier();
  scale_a = scale_of(0u);
  scale_b = scale_of(1u);
}

// The larger scale is taken back first, so that nothing overflows between the two steps.
fn unscaled(sum: f32) -> f32 { return sum / max(scale_a, scale_b) / min(scale_a, scale_b); }
