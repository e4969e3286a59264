import { expect, it } from "vitest";
import { confusionMatrix } from "../../../host/page/matrix.ts";

const count = (svg: string, pattern: RegExp): number => svg.match(pattern)?.length ?? 0;

it("cells are tinted by the share of their row; rows without a window are left out", () => {
  const svg = confusionMatrix(
    [
      [9, 1, 0],
      [0, 4, 0],
      [0, 0, 0],
    ],
    ["a & b", "walk", "never"],
  );
  expect(count(svg, /<rect class="cell/g)).toBe(6);
  expect([...svg.matchAll(/class="count(?: on)?"[^>]*>(\d+)</g)].map(([, n]) => n)).toEqual(["9", "1", "4"]);
  expect(svg).toContain('fill-opacity="0.9"');
  expect(svg).toContain("a &amp; b");
  expect(count(svg, />never</g)).toBe(1); // a column alone
});

it("heads stay inside the drawing, a count is printed only where its cell holds it, and each row shows its recall", () => {
  const labels = Array.from({ length: 30 }, (_, i) => `a rather long label ${i}`);
  const svg = confusionMatrix(
    labels.map((_, i) => labels.map((_, j) => (i === j ? 1234 : j === 0 ? 5 : 0))),
    labels,
  );
  const width = Number(/viewBox="0 0 (\d+) /.exec(svg)![1]);
  const lastHead = Math.max(...[...svg.matchAll(/translate\(([\d.]+) /g)].map(([, x]) => Number(x)));
  expect(width - lastHead).toBeGreaterThan(labels.at(-1)!.length * 5 * Math.SQRT1_2);
  expect(svg).not.toContain(">1234</text>"); // wider than a cell
  expect(svg).toContain("<title>a rather long label 3, predicted a rather long label 3: 1234</title>");
  expect(count(svg, />5<\/text>/g)).toBe(29);
  expect([count(svg, />100 %</g), count(svg, />99.6 %</g)]).toEqual([1, 29]);
});
