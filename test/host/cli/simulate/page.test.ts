import { expect, it } from "vitest";
import { htmlTable, page } from "../../../../host/cli/simulate/report/page.ts";

const html = page(
  "a",
  "b",
  "lead",
  htmlTable(["", "right"], [["governed", "98 %"]]),
  [{ title: "t", caption: "c", drawing: "<svg/>" }],
  "f",
);

it("drawings and tables scroll within their cards on a narrow screen, row names staying", () => {
  expect(html).toContain('<div class="scroll" tabindex="0"><svg/></div>');
  expect(html).toMatch(/svg \{[^}]*min-width: 900px/);
  expect(html).toMatch(/tbody th \{ position: sticky; left: 0/);
  expect(html).toMatch(/white-space: nowrap/);
});

it("every colour of data has a light and a dark value", () => {
  for (const name of ["limit", "tint", ...Array.from({ length: 8 }, (_, i) => `c${i}`)])
    expect(html.match(new RegExp(`--${name}: #`, "g")), name).toHaveLength(2);
});
