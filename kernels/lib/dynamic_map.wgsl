// The dynamic (tree) map of Dettmers et al. 2022, section 2.2, as bitsandbytes builds it: 8 bits for numbers from −1 to 1, or from 0 to 1, with
// finer steps near 0. Decade i = 0 … 6 is from 10ⁱ⁻⁷ to 10ⁱ⁻⁶; it is cut into EACH · 2ⁱ equal cells, and the centre of a cell is an entry.
// 0 and 1 are entries, too. EACH is 1 for the signed map, which has the negative entries as well, and 2 for the one from 0 to 1.
// A magnitude is numbered n = EACH · 2ⁱ + cell; the one of 0 is EACH − 1, and the one of 1 is EACH · 128. So no table is needed.

const decades = 7u;

// The magnitudes with these numbers.
fn magnitude_of(n: vec4u, each: u32) -> vec4f {
  let first = max(n, vec4u(each));
  let power = firstLeadingBit(first);
  let cells = vec4f(vec4u(1u) << power);
  let i = power - (each - 1u);
  let one = vec4u(1u);
  var tens = select(vec4f(1.0), vec4f(10.0), (i & one) == one);
  tens *= select(vec4f(1.0), vec4f(100.0), (i & vec4u(2u)) != vec4u());
  tens *= select(vec4f(1.0), vec4f(1e4), (i & vec4u(4u)) != vec4u());
  let within = (vec4f(first) + 0.5) / cells - 1.0;
  let value = tens * (1e-6 * (0.1 + 0.9 * within));
  return select(select(value, vec4f(1.0), n >= vec4u(each << decades)), vec4f(), n < vec4u(each));
}

// Numbers of the entries nearest to magnitudes; one halfway between two gets the larger. A cell's number is found by its edges, because an
// entry is the nearest of all to what lies in its cell. At the begin of a decade, whose cells are wider than those before, the
// halfway point lies inside the decade's first cell.
fn number_of(a: vec4f, each: u32) -> vec4u {
  var scale = vec4f();
  var first = vec4f();
  var tens = 1.0;
  var cells = f32(each);
  for (var i = 0u; i < decades; i++) {
    // Halfway from 0 to the first entry, or between the last entry of one decade and the first of the next.
    let share = select(0.1 + 0.18 / cells, 0.05 + 0.225 / cells, i == 0u);
    let here = a >= vec4f(tens * 1e-6 * share);
    scale = select(scale, vec4f(cells * 1e6 / (0.9 * tens)), here);
    first = select(first, vec4f(cells), here);
    tens *= 10.0;
    cells *= 2.0;
  }
  let last = 2.0 * first - 1.0;
  let n = vec4u(clamp(a * scale + first * (8.0 / 9.0), first, max(first, last)));
  let found = select(n, vec4u(each << decades), a >= vec4f(1.0 - 0.45 / cells));
  return select(found, vec4u(each - 1u), first == vec4f());
}
