/**
 * The subgroup matrices of a kernel as arrays of which every lane has a copy, and their functions as loops, for subgroups of 64 lanes: slow, and right on
 * every adapter.
 */
export function emulated(source: string): string {
  const functions = new Map<string, string>();
  const body = source
    .replace("enable chromium_experimental_subgroup_matrix;", "")
    .replace(/subgroup_matrix_(?:left|right)<(\w+), (\w+), (\w+)>/g, "array<$1, $2 * $3>")
    .replace(/subgroup_matrix_result<f32, (\w+), (\w+)>/g, "array<f32, $1 * $2>")
    .replace(
      /subgroupMatrixLoad<(Left|Right), (row|col)_major>\(&(\w+), /g,
      (_, type: "Left" | "Right", order: string, from: string) => {
        const name = `load_${type}_${order}_${from}`;
        functions.set(name, load(name, type, order === "row", from));
        return `${name}(`;
      },
    )
    .replace(/subgroupMatrixStore<row_major>\(&(\w+), /g, (_, to: string) => {
      functions.set(`store_${to}`, store(to));
      return `store_${to}(`;
    })
    .replaceAll("subgroupMatrixMultiplyAccumulate(", "multiply(")
    .replace("@builtin(subgroup_id) subgroup: u32,", "")
    .replace("@builtin(num_subgroups) subgroups: u32,", "")
    .replace("@builtin(subgroup_invocation_id) subgroup_lane: u32,", "")
    .replace("@builtin(subgroup_size) subgroup_lanes: u32,", "")
    .replace(/fn main\([^{]*\{/, (head) => head + lanes);
  return [body, common, ...functions.values()].join("\n");
}

const lanes = `
  let subgroup_lanes = 64u;
  let subgroups = LANES / subgroup_lanes;
  let subgroup = lane / subgroup_lanes;
  let subgroup_lane = lane % subgroup_lanes;
`;

const common = `
// Its result is not known to the compiler, which so leaves loops as they are: unrolled, they take minutes to compile.
fn opaque(count: u32) -> u32 { return select(count, 0u, params.batch == 0u); }

fn multiply(left: Left, right: Right, sum: Sum) -> Sum {
  var out = sum;
  for (var i = 0u; i < opaque(UNIT_M); i++) {
    for (var j = 0u; j < opaque(UNIT_N); j++) {
      for (var k = 0u; k < opaque(UNIT_K); k++) { out[i * UNIT_N + j] += f32(left[i * UNIT_K + k]) * f32(right[k * UNIT_N + j]); }
    }
  }
  return out;
}`;

function load(name: string, type: "Left" | "Right", byRows: boolean, from: string): string {
  const [rows, columns] = type === "Left" ? ["UNIT_M", "UNIT_K"] : ["UNIT_K", "UNIT_N"];
  return `
fn ${name}(at: u32, stride: u32) -> ${type} {
  var m: ${type};
  for (var i = 0u; i < opaque(${rows}); i++) {
    for (var j = 0u; j < opaque(${columns}); j++) { m[i * ${columns} + j] = ${from}[at + ${byRows ? "i * stride + j" : "j * stride + i"}]; }
  }
  return m;
}`;
}

function store(to: string): string {
  return `
fn store_${to}(at: u32, sum: Sum, stride: u32) {
  for (var i = 0u; i < opaque(UNIT_M); i++) {
    for (var j = 0u; j < opaque(UNIT_N); j++) { ${to}[at + i * stride + j] = sum[i * UNIT_N + j]; }
  }
}`;
}
