import { numberText, percentText } from "../../core/system/table.ts";
import { axisOver, siText } from "../../page/axis.ts";
import { dot, label, line, ring } from "../../page/marks.ts";
import { type Mark, type PlotArea, plot, wideArea } from "../../page/plot.ts";

/** One trial as a search judges it. */
export interface Candidate {
  readonly key: string;
  readonly accuracy: number; // more is better
  readonly instructions: number; // less is better
  readonly arenaBytes: number; // less is better
}

/** Those that no other candidate is at least as good as in everything and better in something, the cheapest first. */
export function paretoFront<C extends Candidate>(candidates: readonly C[]): C[] {
  return candidates
    .filter((one) => !candidates.some((other) => dominates(other, one)))
    .sort((a, b) => a.instructions - b.instructions || b.accuracy - a.accuracy);
}

function dominates(a: Candidate, b: Candidate): boolean {
  const isAsGood = a.accuracy >= b.accuracy && a.instructions <= b.instructions && a.arenaBytes <= b.arenaBytes;
  return isAsGood && (a.accuracy > b.accuracy || a.instructions < b.instructions || a.arenaBytes < b.arenaBytes);
}

const area: PlotArea = { ...wideArea, height: 420, top: 24, bottom: 50 };
const LARGEST_RADIUS = 15; // user units

/** Accuracy against instructions: a disc per candidate, its area in proportion to the bytes of its arena. */
export function paretoFigure<C extends Candidate>(candidates: readonly C[], front: readonly C[], marked: ReadonlySet<string>): string {
  const x = axisOver(
    candidates.map(({ instructions }) => instructions),
    "instructions per window (Cortex-M4, estimated)",
    siText,
    0,
  );
  const y = axisOver(
    candidates.map(({ accuracy }) => accuracy),
    "accuracy",
    (value) => `${Number((100 * value).toFixed(1))} %`,
  );
  const most = Math.max(...candidates.map(({ arenaBytes }) => arenaBytes));
  const radius = ({ arenaBytes }: C): number => LARGEST_RADIUS * Math.sqrt(arenaBytes / most);
  const pointOf = ({ instructions, accuracy }: Candidate) => [instructions, accuracy] as const;
  const isFront = (one: C): boolean => front.some(({ key }) => key === one.key);
  const discs = [...candidates]
    .sort((a, b) => Number(isFront(a)) - Number(isFront(b)) || b.arenaBytes - a.arenaBytes)
    .flatMap((one): Mark[] => {
      const title = `${one.key}: ${percentText(one.accuracy, 2)}, ${siText(one.instructions)} instructions, ${numberText(one.arenaBytes)} B of arena`;
      const disc = dot(pointOf(one), isFront(one) ? "s1" : "s0", title, radius(one), "bubble");
      return marked.has(one.key) ? [disc, ring(pointOf(one), radius(one) + 4)] : [disc];
    });
  // The staircase ranks by accuracy and instructions alone; the disc shows the arena.
  const flat = paretoFront(front.map((one) => ({ ...one, arenaBytes: 0 })));
  const named = candidates.filter((one) => flat.some(({ key }) => key === one.key) || marked.has(one.key));
  const names = named.map((one): Mark => {
    return (at) => {
      const isRight = at.x(one.instructions) > area.width * 0.7;
      const away = radius(one) + 7;
      return label(pointOf(one), one.key, isRight ? "end" : "start", isRight ? [-away, 18] : [away, 12])(at);
    };
  });
  return plot({ title: "Accuracy against instructions", x, y, area, marks: [line(staircase(flat), "soft", "dash"), ...discs, ...names] });
}

/** The accuracy reached at each number of instructions: level up to the next candidate of the front, then up to it. */
function staircase(front: readonly Candidate[]): (readonly [number, number])[] {
  return front.flatMap(({ instructions, accuracy }, i) => {
    const before = front[i - 1];
    return [...(before ? [[instructions, before.accuracy] as const] : []), [instructions, accuracy] as const];
  });
}
