// A lane of a row kernel reads and writes a row in items: vectors of four elements where rows begin at whole vectors (their width is a
// multiple of four), else single elements. A vector is read in half the time of its elements on software adapters.

//! include lib/nan.wgsl

const WIDE = 4u; //! define: elements of an item, 4 or 1
alias Item = vec4f; //! if WIDE 4
alias Item = f32; //! if WIDE 1
alias Bits = vec4u; //! if WIDE 4
alias Bits = u32; //! if WIDE 1

fn sum_of(v: Item) -> f32 { return (v.x + v.y) + (v.z + v.w); } //! if WIDE 4
fn sum_of(v: Item) -> f32 { return v; } //! if WIDE 1

// Element n of an item.
fn element_of(v: Item, n: u32) -> f32 { return v[n]; } //! if WIDE 4
fn element_of(v: Item, n: u32) -> f32 { return v; } //! if WIDE 1

// The item of a row that begins at element `i`, from the four elements among which it is.
fn item_among(four: vec4f, i: u32) -> Item { return four; } //! if WIDE 4
fn item_among(four: vec4f, i: u32) -> Item { return four[i % 4u]; } //! if WIDE 1

// Columns of the elements of item c.
fn columns_of(c: u32) -> Bits { return 4u * c + vec4u(0u, 1u, 2u, 3u); } //! if WIDE 4
fn columns_of(c: u32) -> Bits { return c; } //! if WIDE 1

// NaN where one of the two is.
fn larger_items(a: Item, b: Item) -> Item { return keep_nans(keep_nans(max(a, b), a), b); } //! if WIDE 4
fn larger_items(a: Item, b: Item) -> Item { return larger(a, b); } //! if WIDE 1

// Over the elements of an item.
fn largest_of(v: Item) -> f32 { return larger(larger(v.x, v.y), larger(v.z, v.w)); } //! if WIDE 4
fn largest_of(v: Item) -> f32 { return v; } //! if WIDE 1
