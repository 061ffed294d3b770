/** The most losses that are computed. Four to eight are the rule. */
const MOST = 40;

/** The most by which a factor is multiplied, or divided, while the wanted loss is not yet between two that are known. */
const STRIDE = 4;

/** Factors beyond it are not tried: the damage has no more effect. */
const LARGEST = 1e6;

interface Point {
  readonly factor: number;
  readonly loss: number;
}

/**
 * Finds the factor of a damage with which a loss is the wanted one. The loss has to grow with the factor, on the whole; small damage makes it
 * grow with its square, which is how the search begins.
 * @param tolerance how far the loss may be from the wanted one, as a share of it
 * @returns the factor and its loss; where no factor gives the wanted loss, those that came nearest
 */
export async function matchLoss(
  wanted: number,
  tolerance: number,
  lossAt: (factor: number) => Promise<number>,
): Promise<Point> {
  let factor = 1;
  let power = 2;
  let [below, above, last, nearest]: (Point | undefined)[] = [];
  const distance = ({ loss }: Point) => Math.abs(loss / wanted - 1);
  for (let i = 0; i < MOST && factor < LARGEST; i++) {
    const point: Point = { factor, loss: await lossAt(factor) };
    if (distance(point) <= tolerance) return point;
    if (!nearest || distance(point) < distance(nearest)) nearest = point;
    if (point.loss < wanted) below = point;
    else above = point;
    if (last) power = powerBetween(last, point);
    last = point;
    factor = below && above ? between(below, above, wanted) : outward(point, wanted, power);
  }
  return nearest!;
}

/** The power of the factor with which the loss grows from one point to another, but neither very low nor very high. */
function powerBetween(one: Point, other: Point): number {
  const power = Math.log(other.loss / one.loss) / Math.log(other.factor / one.factor);
  return Math.min(4, Math.max(0.25, power || 0));
}

/** Along the line through two points in logarithms, but not too near to one of them. A loss that is not a number is a large one. */
function between(below: Point, above: Point, wanted: number): number {
  const width = Math.log(above.factor / below.factor);
  const share = Math.log(wanted / below.loss) / Math.log(above.loss / below.loss);
  return below.factor * Math.exp(width * Math.min(0.9, Math.max(0.1, share || 0)));
}

/** Where the loss would be the wanted one if it went on to grow with this power of the factor. */
function outward({ factor, loss }: Point, wanted: number, power: number): number {
  const ratio = (wanted / loss) ** (1 / power) || 0;
  return factor * Math.min(STRIDE, Math.max(1 / STRIDE, ratio));
}
