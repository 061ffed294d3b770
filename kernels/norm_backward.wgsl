// Gradient of norm.wgsl for x. With r = 1/√(mean((x − μ)²) + ε), x̂ = (x − μ) r and h = gradient · weight:
// ∂x = r (h − mean(h) − x̂ · mean(h x̂)), without mean(h) for RMSNorm. ADD adds another gradient of x.
// Also keeps each row's `Row` (lib/norm_row.wgsl) for norm_weight_backward.wgsl.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x, gradient, addend [rows, width], weight [width] of some floating dtype (read), x_gradient [rows, width],
// statistics [rows, 4] (written).

//! include lib/norm.wgsl

@group(0) @binding(3) var<storage, read> gradient: array<Item>;
@group(0) @binding(4) var<storage, read_write> x_gradient: array<Item>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Row>;
@group(0) @binding(6) var<storage, read> addend: array<Item>;

override ADD: bool = false;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  // Lanes of rows past the end take part in the barriers, over no items.
  let items = select(0u, params.width / WIDE, row < params.rows);
  let n = f32(params.width);

  let own = row_of(first, items, at);
  var along = Item(); // Σ h (x − μ)
  var level = Item(); // Σ h
  for (var c = at.x; c < items; c += LANES) {
    let h = gradient[first + c] * weight_at(c);
    along += h * deviations(own, x[first + c]);
    level += h;
  }
  let slope = row_sum(sum_of(along), at) / n * own.inverse;
  var shift = 0.0;
  if (CENTERED) { shift = row_sum(sum_of(level), at) / n; }
  for (var c = at.x; c < items; c += LANES) {
    let h = gradient[first + c] * weight_at(c);
    let own_gradient = own.inverse * own.scale * (h - shift - deviations(own, x[first + c]) * own.inverse * slope);
    if (ADD) { x_gradient[first + c] = addend[first + c] + own_gradient; } else { x_gradient[first + c] = own_gradient; }
  }
  if (at.x == 0u && row < params.rows) { statistics[row] = own; }
}
