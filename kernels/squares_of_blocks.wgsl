// Sums of squares of blocks of numbers that lie anywhere in one buffer: out[b] = Σ x[first + k · stride]² over k below the block's count.
// A block of stride 1 begins at a whole vector.
// LANES lanes a block (lib/rows.wgsl).
// Bindings: x, blocks [n] of (first, count, stride, 0) (read), out (written from `start`, [n]).

//! include lib/rows.wgsl

struct Params { blocks: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> blocks: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let block = (group.x + group.y * groups.x) * ROWS + at.y;
  let own = blocks[min(block, params.blocks - 1u)];
  let count = select(0u, own.y, block < params.blocks);
  var sums = vec4f();
  if (own.z == 1u) {
    for (var k = at.x * 4u; k < count; k += LANES * 4u) {
      let inside = vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(count);
      let values = select(vec4f(), x[(own.x + k) / 4u], inside);
      sums += values * values;
    }
  } else {
    for (var k = at.x; k < count; k += LANES) {
      let element = own.x + k * own.z;
      let value = x[element / 4u][element % 4u];
      sums.x += value * value;
    }
  }
  let total = row_sum(sums.x + sums.y + (sums.z + sums.w), at);
  if (at.x == 0u && block < params.blocks) { out[params.start + block] = total; }
}
