// Gradient of norm.wgsl for x. With r = 1/√(mean((x − μ)²) + ε), x̂ = (x − μ) r and h = gradient · weight:
// ∂x = r (h − mean(h) − x̂ · mean(h x̂)), without mean(h) for RMSNorm. Also keeps (μ, r) of each row for norm_weight_backward.wgsl.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x, gradient [rows, width], weight [width] of some floating dtype (read), x_gradient [rows, width],
// statistics [rows, 2] (written).

//! include lib/norm.wgsl

@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> x_gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  // Lanes of rows past the end take part in the barriers, over no columns.
  let width = select(0u, params.width, row < params.rows);
  let n = f32(params.width);

  let mean = row_mean(first, width, at);
  var squares = 0.0;
  var along = 0.0; // Σ h (x − μ)
  var level = 0.0; // Σ h
  for (var c = at.x; c < width; c += LANES) {
    let d = x[first + c] - mean;
    let h = gradient[first + c] * weight_at(c);
    squares += d * d;
    along += h * d;
    level += h;
  }
  let inverse = inverseSqrt(row_sum(squares, at) / n + params.eps);
  let slope = row_sum(along, at) / n * inverse;
  var shift = 0.0;
  if (CENTERED) { shift = row_sum(level, at) / n; }
  for (var c = at.x; c < width; c += LANES) {
    let h = gradient[first + c] * weight_at(c);
    x_gradient[first + c] = inverse * (h - shift - (x[first + c] - mean) * inverse * slope);
  }
  if (at.x == 0u && row < params.rows) { statistics[row] = vec2f(mean, inverse); }
}
