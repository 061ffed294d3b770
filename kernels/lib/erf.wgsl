// The standard normal distribution: density and cumulative distribution Φ(x) = (1 + erf(x / √2)) / 2, with erf by formula 7.1.26
// of Abramowitz & Stegun (1964), within 1.5 · 10⁻⁷.

fn normal_density(x: vec4f) -> vec4f {
  return 0.39894228 * exp(-0.5 * x * x);
}

fn normal_cdf(x: vec4f) -> vec4f {
  let z = abs(x) * 0.70710678;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let tail = 0.5 * series * exp(-z * z);
  return select(tail, 1.0 - tail, x >= vec4f(0.0));
}
