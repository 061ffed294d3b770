import { fail, unsupported } from "./errors.ts";
import { type Args, Dict, numeric, repr, Tuple, text, typeName, Undefined, type Value } from "./values.ts";
import { spendText } from "./work.ts";

/** A float with so many digits after the point; a tie goes to the even digit, where `toFixed` goes up. */
export function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21 || digits > 50) return unsupported(`a float of this size with ${digits} digits`);
  if (value < 0 || Object.is(value, -0)) return `-${fixed(-value, digits)}`;
  const rounded = value.toFixed(digits);
  const exact = value.toFixed(100);
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  if (!/^50*$/.test(rest)) return rounded;
  const down = exact.slice(0, exact.length - rest.length).replace(/\.$/, "");
  return Number(down.at(-1)) % 2 === 0 ? down : rounded;
}

/** `pattern % value` */
export function percent(pattern: string, given: Value): string {
  const values = given instanceof Tuple ? given.items : [given];
  let used = 0;
  const next = () => (used < values.length ? values[used++]! : fail("not enough values for the format"));
  const result = pattern.replace(
    /%(?:\((.*?)\))?([-+ #0]*)(\d*|\*)(?:\.(\d*|\*))?[hlL]?([\s\S]?)/g,
    (whole, key: string | undefined, flags: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === "%") return whole === "%%" ? "%" : unsupported(whole);
      if (width === "*" || precision === "*") return unsupported(whole);
      let value: Value;
      if (key === undefined) value = next();
      else {
        if (!(given instanceof Dict)) return fail("the format needs a dict");
        value = given.get(key) as Value;
        if (value === undefined) return fail(`the format's dict has no ${key}`);
        used = 1;
      }
      const [sign, body] = conversion(
        kind,
        flags,
        precision === undefined ? undefined : Number(precision),
        value,
        whole,
      );
      const missing = Number(width) - [...sign, ...body].length;
      spendText(missing);
      if (missing <= 0) return sign + body;
      if (flags.includes("-")) return sign + body + " ".repeat(missing);
      return flags.includes("0") && !/[srac]/.test(kind)
        ? sign + "0".repeat(missing) + body
        : " ".repeat(missing) + sign + body;
    },
  );
  if (used < values.length && !(given instanceof Dict)) fail("not all values were used by the format");
  return result;
}

/** Sign and text of one value. */
function conversion(
  kind: string,
  flags: string,
  precision: number | undefined,
  value: Value,
  whole: string,
): readonly [string, string] {
  if (flags.includes("#")) return unsupported(whole);
  if (kind === "s" || kind === "r") {
    const all = kind === "s" ? text(value) : repr(value);
    return ["", precision === undefined ? all : [...all].slice(0, precision).join("")];
  }
  if (value instanceof Undefined) return fail(value.why);
  const number = numeric(value) ?? fail(`%${kind} needs a number, not ${typeName(value)}`);
  const plus = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  const signOf = (negative: boolean) => (negative ? "-" : plus);
  if (/[diu]/.test(kind)) {
    if (typeof number === "number" && !Number.isFinite(number)) return fail(`%${kind} needs a finite number`);
    const whole = BigInt(typeof number === "number" ? Math.trunc(number) : number);
    const digits = String(whole < 0n ? -whole : whole);
    return [signOf(whole < 0n), digits.padStart(precision ?? 0, "0")];
  }
  if (kind === "f" || kind === "F") {
    const float = Number(number);
    if (!Number.isFinite(float)) return unsupported(`${whole} of ${float}`);
    const negative = float < 0 || Object.is(float, -0);
    return [signOf(negative), fixed(Math.abs(float), precision ?? 6)];
  }
  return unsupported(whole);
}

/** `pattern.format(…)`, with fields that are numbers or names alone. */
export function format(pattern: string, { positional, named }: Args): string {
  let automatic = 0;
  let numbered = false;
  return pattern.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (whole, field: string | undefined) => {
    if (field === undefined) return whole.length === 2 ? whole[0]! : fail(`the format has a single ${whole}`);
    const [, name, form] = /^(\w*)(!r|!s)?$/.exec(field) ?? unsupported(`the field ${whole} of a format`);
    let value: Value | undefined;
    if (name === "") value = positional[automatic++];
    else if (/^\d+$/.test(name!)) {
      numbered = true;
      value = positional[Number(name)];
    } else value = named.get(name!);
    if (automatic > 0 && numbered) fail("a format cannot mix {} and numbers");
    if (value === undefined) return fail(`the format has no value for ${whole}`);
    return form === "!r" ? repr(value) : text(value);
  });
}
