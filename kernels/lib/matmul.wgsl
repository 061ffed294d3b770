// Operands of the matmul kernels that read A an element at a time, and B in any dtype.

//! include lib/packed.wgsl
//! include lib/matmul_params.wgsl

// f32, f16 or bf16, as in lib/packed.wgsl.
override B_DTYPE: u32 = 0u;
// B is stored [n, k], so that its columns are contiguous.
override B_ALONG_K: bool = false;
// Every row of B, as stored, begins at a multiple of four elements.
override B_ALIGNED: bool = false;

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec2u>;

// Two words of B as it is stored. Past its end, the last are read again.
fn words_of_b(i: u32) -> vec2u { return b[min(i, arrayLength(&b) - 1u)]; }

// Element `i` of B.
fn read_b(i: u32) -> f32 {
  if (B_DTYPE == 0u) { return bitcast<f32>(words_of_b(i >> 1u)[i & 1u]); }
  return unpack_half(words_of_b(i >> 2u)[(i >> 1u) & 1u], (i & 1u) == 1u, B_DTYPE);
}

// Elements `i` to `i + 3` of B as it is stored. Those past the end of the matrix are arbitrary.
fn read_b4(i: u32) -> vec4f {
  if (B_DTYPE == 0u) {
    let low = words_of_b(i >> 1u);
    let high = words_of_b((i >> 1u) + 1u);
    if (B_ALIGNED) { return bitcast<vec4f>(vec4u(low, high)); }
    let next = words_of_b((i >> 1u) + 2u).x;
    return bitcast<vec4f>(select(vec4u(low, high), vec4u(low.y, high, next), (i & 1u) == 1u));
  }
  let low = words_of_b(i >> 2u);
  if (B_ALIGNED) { return vec4f(unpack_pair(low.x, B_DTYPE), unpack_pair(low.y, B_DTYPE)); }
  let high = words_of_b((i >> 2u) + 1u);
  let words = select(vec3u(low, high.x), vec3u(low.y, high), (i & 2u) == 2u);
  let shifted = vec2u((words.x >> 16u) | (words.y << 16u), (words.y >> 16u) | (words.z << 16u));
  let pairs = select(words.xy, shifted, (i & 1u) == 1u);
  return vec4f(unpack_pair(pairs.x, B_DTYPE), unpack_pair(pairs.y, B_DTYPE));
}

// Elements B[k … k + 3, j … j + 3], a row of B to a vector.
fn read_block(at: u32) -> mat4x4f {
  if (B_ALONG_K) {
    let step = params.b_column;
    return transpose(mat4x4f(read_b4(at), read_b4(at + step), read_b4(at + 2u * step), read_b4(at + 3u * step)));
  }
  let step = params.b_row;
  return mat4x4f(read_b4(at), read_b4(at + step), read_b4(at + 2u * step), read_b4(at + 3u * step));
}

// Elements B[k, j … j + 3] for a single k.
fn read_columns(at: u32) -> vec4f {
  let step = params.b_column;
  return vec4f(read_b(at), read_b(at + step), read_b(at + 2u * step), read_b(at + 3u * step));
}
