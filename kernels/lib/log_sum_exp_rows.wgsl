//! include lib/log_sum_exp.wgsl
//! include lib/rows.wgsl

// Over the lanes of a row: (m, s). Both are NaN where s is, and where the row has nothing above −∞. All lanes of the workgroup must call it.
fn lse_join(state: vec2f, at: vec3u) -> vec2f {
  let m = row_max(state.x, at);
  let s = row_sum(state.y * exp(state.x - m), at);
  let sound = select(s, nan(), s == 0.0);
  return vec2f(keep_nan(m, sound), sound);
}
