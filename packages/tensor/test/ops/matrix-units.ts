/** The subgroup matrices of a kernel as arrays of which every lane has a copy, and their functions as loops: slow, and right on every adapter. */
export function emulated(source: string): string {
  return source
    .replace("enable chromium_experimental_subgroup_matrix;", "")
    .replace(/subgroup_matrix_(?:left|right)<Unit, (\w+), (\w+)>/g, "array<Unit, $1 * $2>")
    .replace(/subgroup_matrix_result<f32, (\w+), (\w+)>/g, "array<f32, $1 * $2>")
    .replace(/subgroupMatrixLoad<(Left|Right), (row|col)_major>\(&[ab]_tile, /g, "load_$1_$2(")
    .replace(/subgroupMatrixStore<row_major>\(&sums_out, (\w+), (.*), UNIT_N\)/, "store_sum($1, $2)")
    .replace("subgroupMatrixMultiplyAccumulate(", "multiply(")
    .replace("@builtin(subgroup_id) subgroup: u32,", "")
    .replace("@builtin(num_subgroups) subgroups: u32,", "")
    .replace("@builtin(subgroup_invocation_id) subgroup_lane: u32,", "")
    .replace("@builtin(subgroup_size) subgroup_lanes: u32,", "")
    .replace(
      "let tiles_m",
      "let subgroup = lane / 64u; let subgroups = LANES / 64u; let subgroup_lane = lane % 64u; let subgroup_lanes = 64u;\n  let tiles_m",
    )
    .concat(`
// Its result is not known to the compiler, which so leaves loops as they are: unrolled, they take minutes to compile.
fn opaque(count: u32) -> u32 { return select(count, 0u, params.m == 0u); }

fn multiply(left: Left, right: Right, sum: Sum) -> Sum {
  var out = sum;
  for (var i = 0u; i < opaque(UNIT_M); i++) {
    for (var j = 0u; j < opaque(UNIT_N); j++) {
      for (var k = 0u; k < opaque(UNIT_K); k++) { out[i * UNIT_N + j] += f32(left[i * UNIT_K + k]) * f32(right[k * UNIT_N + j]); }
    }
  }
  return out;
}

fn store_sum(at: u32, sum: Sum) {
  for (var e = 0u; e < opaque(UNIT_M * UNIT_N); e++) { sums_out[at + e] = sum[e]; }
}
${load("Left", "a_tile", "UNIT_M", "UNIT_K")}
${load("Right", "b_tile", "UNIT_K", "UNIT_N")}`);
}

/** Reading a matrix of `rows` by `columns` from a tile: its element (i, j), stored by rows or by columns. */
function load(type: string, tile: string, rows: string, columns: string): string {
  const loop = (at: string) => `
  var m: ${type};
  for (var i = 0u; i < opaque(${rows}); i++) {
    for (var j = 0u; j < opaque(${columns}); j++) { m[i * ${columns} + j] = ${tile}[at + ${at}]; }
  }
  return m;`;
  return `
fn load_${type}_row(at: u32, stride: u32) -> ${type} {${loop("i * stride + j")}
}
fn load_${type}_col(at: u32, stride: u32) -> ${type} {${loop("j * stride + i")}
}`;
}
