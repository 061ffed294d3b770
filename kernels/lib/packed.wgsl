// Reading a float that is stored as f32 (code 0), or packed two to a word as f16 (1) or bf16 (2). Exact, and needs no device feature.

fn unpack_half(word: u32, high: bool, dtype: u32) -> f32 {
  if (dtype == 1u) {
    let pair = unpack2x16float(word);
    return select(pair.x, pair.y, high);
  }
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, high));
}

// Both halves of a word, low half first.
fn unpack_pair(word: u32, dtype: u32) -> vec2f {
  if (dtype == 1u) { return unpack2x16float(word); }
  return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u));
}

// The four elements in two words of a packed dtype.
fn unpack_two(words: vec2u, dtype: u32) -> vec4f { return vec4f(unpack_pair(words.x, dtype), unpack_pair(words.y, dtype)); }
