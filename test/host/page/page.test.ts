import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { unlessFlat } from "../../../host/page/figure.ts";
import { pageHtml } from "../../../host/page/page.ts";
import { bestRows, htmlTable } from "../../../host/page/table.ts";

const html = pageHtml({
  ...{ title: "<a>", subtitle: "b", sentences: ["c & d"], warnings: ["w"], notes: ["made of nothing"] },
  keyFigures: [{ value: "43 °C", name: "skin", isOver: true }],
  tables: [{ head: ["", "right"], rows: [["governed", "98 %"]] }],
  figures: [{ title: "t", caption: "c", drawing: "<svg/>" }],
});

describe("a page", () => {
  it("escapes every text and keeps a drawing as markup", () => {
    expect(html).toContain("<h1>&lt;a&gt; <span>b</span></h1>");
    expect(html).toContain("<p>c &amp; d</p>");
    expect(html).toContain("</figcaption><svg/></figure>");
  });

  it("needs no request, script or inline style, and its policy allows its style sheet alone", () => {
    expect(html).not.toMatch(/<script|<link|<img|https?:|@import|url\((?!#)| style=/);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  });

  it("has a light and a dark value for every colour", () => {
    const names = [...html.matchAll(/--([a-z]+\d?): #/g)].map(([, name]) => name);
    for (const name of ["back", "ink", "limit", "tint", ...Array.from({ length: 8 }, (_, i) => `c${i}`)])
      expect(
        names.filter((one) => one === name),
        name,
      ).toHaveLength(2);
  });

  it("marks a key figure beyond its limit", () => expect(html).toContain('<dt>skin</dt><dd class="over">43 °C</dd>'));
});

describe("a table", () => {
  const rows = [
    ["governed", "61", "1,204.5", "3"],
    ["always asks", "9.5", "980.0", "3"],
    ["never asks", "–", "980.0", "3"],
  ];

  it("finds the best rows of a column: ties share, missing values and equal columns count for nothing", () => {
    expect(bestRows(rows, 1, "highest")).toEqual([0]);
    expect(bestRows(rows, 2, "lowest")).toEqual([1, 2]);
    expect(bestRows(rows, 3, "lowest")).toEqual([]);
    expect(bestRows([["a", "–"]], 1, "lowest")).toEqual([]);
    expect(bestRows([["a", "1"]], 1, "lowest")).toEqual([]);
  });

  it("marks its best cells and repeats the heads for a phone", () => {
    const table = htmlTable({ head: ["", "h", "J", "n"], rows, best: [undefined, "highest", undefined, "lowest"] });
    expect(table.match(/class="best"/g)).toHaveLength(1);
    expect(table).toContain('<td class="best" data-head="h"><span>61</span></td>');
  });
});

describe("a flat figure", () => {
  const draw = (): string => "<svg/>";
  const text = (value: number): string => `constant at ${value}`;
  it("becomes a sentence when all values are equal within the tolerance", () => {
    expect(unlessFlat([1, 1], draw, text)).toContain("constant at 1");
    expect(unlessFlat([1, 1.04], draw, text, 0.05)).toContain("constant at 1.04");
    expect(unlessFlat([1, 2], draw, text)).toBe("<svg/>");
  });
  it("becomes a sentence when nothing was measured", () => expect(unlessFlat([], draw, text)).toContain('<p class="plain">'));
});
