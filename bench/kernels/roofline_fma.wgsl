// Chains of fused multiply-adds in registers: the arithmetic peak of this adapter. The bench compares other kernels with it.
// Each lane runs `rounds` rounds of 8 steps on 3 independent vec4 chains, 192 flops a round, and writes their mean, so that the
// compiler drops none. Eight steps are written out because the loop itself is slow on software adapters.
// The chains converge to 2 (x ← x/2 + 1). The bench checks the 2.
// Bindings: out (written, one f32 a lane).

struct Params { rounds: u32, half: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * 64u + lane;
  let h = vec4f(params.half);
  let one = vec4f(1.0);
  var a = vec4f(f32(i));
  var b = a + 1.0;
  var c = a + 2.0;
  for (var r = 0u; r < params.rounds; r++) {
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
    a = fma(a, h, one); b = fma(b, h, one); c = fma(c, h, one);
  }
  out[i] = dot(a + b + c, vec4f(1.0)) / 12.0;
}
