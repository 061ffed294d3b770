// Random bits from a counter (Philox4x32-10, Salmon et al. 2011): four words that depend on the counter and the key alone.

// High and low words of a 64-bit product, from 16-bit halves.
fn multiply(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let middle = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (cross >> 16u) + (middle >> 16u), a * b);
}

fn philox(counter: vec4u, first_key: vec2u) -> vec4u {
  var c = counter;
  var key = first_key;
  for (var round = 0u; round < 10u; round++) {
    let p = multiply(0xD2511F53u, c.x);
    let q = multiply(0xCD9E8D57u, c.z);
    c = vec4u(q.x ^ c.y ^ key.x, q.y, p.x ^ c.w ^ key.y, p.y);
    key += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}
