// What all matmul kernels share: out[z, i, j] (+)= Σₖ A[z, i, k] · B[z, k, j]. Operands are found by their strides, so that a transposed
// operand, a batch that shares one matrix, a sum cut into slices along k and a part of a matrix too large to bind are all the same call.
// Strides and offsets count elements of the operand's own dtype.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  batch: u32,
  a_offset: u32,
  a_batch: u32,
  a_row: u32,
  a_column: u32,
  b_offset: u32,
  b_batch: u32,
  b_row: u32,
  b_column: u32,
  out_offset: u32,
  out_batch: u32,
  out_row: u32,
  // Steps of k in all the batch together: k · batch, or less when the batch is slices of one sum and the last is shorter.
  k_total: u32,
}

// Adds to what `out` holds.
override ACCUMULATE: bool = false;
// Adds `addend`, which has the layout of `out`.
override ADD: bool = false;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read> addend: array<f32>;

// Steps of k in product `z` of the batch.
fn depth_of(z: u32) -> u32 {
  return min(params.k, params.k_total - z * params.k);
}

fn store(at: u32, value: f32) {
  if (ACCUMULATE) { out[at] += value; } else if (ADD) { out[at] = addend[at] + value; } else { out[at] = value; }
}
