// A product of few rows with an f32 weight, and what stands around it in a block. lib/linear_few.wgsl says how.
// Bindings: x, norm_weight, w (f32), addend (read); out (written).

//! include lib/linear_few.wgsl

@group(0) @binding(3) var<storage, read> w: array<vec4f>;

// Elements `i` to `i + 3` of W.
fn read_w4(i: u32) -> vec4f { return w[i / 4u]; }
