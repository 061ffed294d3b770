// What every matmul kernel is told: out[z, i, j] (+)= Σₖ A[z, i, k] · B[z, k, j], with the operands found by their strides, so that a
// transposed operand, a batch that shares one matrix and a part of a matrix too large to bind are all the same call.
//
// Strides and offsets count elements, of the operand's own dtype. A stride of 0 repeats. `accumulate` adds to what `out` holds.

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
  accumulate: u32,
}
