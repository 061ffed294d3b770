// a ∘ b under NumPy's broadcasting, ∘ one of + − × ÷.
// A lane takes items of out (lib/elements.wgsl, lib/items.wgsl). Of an operand it reads an item, or where WIDE_A or WIDE_B is 1 an element
// that stands for the whole item. A broadcast axis has stride 0 in its operand; sizes and strides count what is read.
// Bindings: a, b (read), out (written, `count` items).

//! include lib/elements.wgsl
//! include lib/items.wgsl
//! include lib/strides.wgsl

override OPERATION: u32 = 0u; // 0 +, 1 −, 2 ×, 3 ÷
const WIDE_A = 4u; //! define
const WIDE_B = 4u; //! define
alias A = vec4f; //! if WIDE_A 4
alias A = f32; //! if WIDE_A 1
alias B = vec4f; //! if WIDE_B 4
alias B = f32; //! if WIDE_B 1

@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> b: array<B>;
@group(0) @binding(3) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, params.count);
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let at = walk(i);
    let x = Item(a[at.x]);
    let y = Item(b[at.y]);
    if (OPERATION == 0u) { out[i] = x + y; }
    else if (OPERATION == 1u) { out[i] = x - y; }
    else if (OPERATION == 2u) { out[i] = x * y; }
    else { out[i] = x / y; }
  }
}
