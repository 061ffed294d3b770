// The norm of many tensors from sums of squares of their blocks (squares_of_blocks.wgsl): squares[t], the sum of tensor t's blocks, which
// are those from ranges[t].x up to ranges[t].y; total = Σ squares; norm = √total; and clip = min(1, max_norm / (norm + 10⁻⁶)), by
// which `torch.nn.utils.clip_grad_norm_` multiplies gradients.
// One workgroup, LANES lanes, a tensor to a lane.
// Bindings: sums (of blocks), ranges [tensors] (read), squares [tensors], total, norm, clip [1] (written).

//! include lib/rows.wgsl

struct Params { tensors: u32, max_norm: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> ranges: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;
@group(0) @binding(4) var<storage, read_write> total: array<f32>;
@group(0) @binding(5) var<storage, read_write> norm: array<f32>;
@group(0) @binding(6) var<storage, read_write> clip: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_id) at: vec3u) {
  var own = 0.0;
  for (var t = at.x; t < params.tensors; t += LANES) {
    var sum = 0.0;
    for (var b = ranges[t].x; b < ranges[t].y; b++) { sum += sums[b]; }
    squares[t] = sum;
    own += sum;
  }
  let all = row_sum(own, at);
  if (at.x != 0u) { return; }
  total[0] = all;
  norm[0] = sqrt(all);
  clip[0] = keep_nan(min(1.0, params.max_norm / (sqrt(all) + 1e-6)), all);
}
