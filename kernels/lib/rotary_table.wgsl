// The rotary table, which may be bound in parts: rows first_row … first_row + part_rows − 1 of its P rows. A run does the tokens at the
// positions of its part; the run on the last part also does those past the whole table, whose result is NaN.
// A kernel that includes this has the parameters first_row, part_rows, rows and nan_bits.

struct TableRow {
  // Whether this run does the token.
  here: bool,
  // The token's row in the part.
  row: u32,
  // What cosines and sines are multiplied by: 1, or NaN past the table.
  factor: f32,
}

fn table_row(position: u32) -> TableRow {
  let past_table = position >= params.rows;
  let row = position - params.first_row;
  let last_part = params.first_row + params.part_rows == params.rows;
  let elsewhere = select(row >= params.part_rows, !last_part, past_table);
  return TableRow(!elsewhere, select(row, 0u, past_table), select(1.0, bitcast<f32>(params.nan_bits), past_table));
}
