import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../host/core/system/package-root.ts";

/** The rooms of host/, lowest first: each imports from itself and from those before it. host/README.md says what each is for. */
const FLOORS = [
  "core",
  "page",
  "lm",
  "data",
  "power",
  "link",
  "mqtt",
  "diary",
  "guard",
  "policy",
  "security",
  "personalize",
  "agent",
  "assistant",
  "cloud",
  "telemetry",
  "web",
  "gateway",
  "eval",
  "firmware",
  "train",
  "simulate",
  "entries",
  "cli",
];
/** What is imported from outside host/: the numbers of the formats by anyone, an agent's training by the verb that runs it. */
const OUTSIDE = [/^assembly\/((device|lm|text)\/)?layout\.ts$/, /^agents\/(activity|assistant|fall)\/train\.ts$/];

const root = packageRoot();
const files = readdirSync(join(root, "host"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `host/${file}`);

/** Files that a file imports, types and `import()` included, relative to the package. */
function importsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node && ts.isStringLiteral(node) && node.text.startsWith(".")) found.push(posix.normalize(posix.join(dirname(file), node.text)));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));
const roomOf = (file: string): string => file.split("/")[1]!;

/** Groups of files that import each other (Tarjan, SIAM J. Comput. 1972). */
function circles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of edges.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) found.push(group);
  };
  for (const file of edges.keys()) if (!index.has(file)) visit(file);
  return found;
}

describe("imports of host/", () => {
  it("every room has a floor, and imports no room above its own", () => {
    const inRooms = files.filter((file) => file.split("/").length > 2);
    expect(inRooms.filter((file) => !FLOORS.includes(roomOf(file)))).toEqual([]);
    const upward = inRooms.flatMap((file) =>
      graph
        .get(file)!
        .filter((to) => to.startsWith("host/") && FLOORS.indexOf(roomOf(to)) > FLOORS.indexOf(roomOf(file)))
        .map((to) => `${file} → ${to}`),
    );
    expect(upward).toEqual([]);
  });

  it("no file is part of a circle, types included", () => {
    expect(circles(graph)).toEqual([]);
    expect(
      circles(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual([["b", "c"]]); // it would be found
  });

  it("nothing of test/ is imported, and of assembly/ the layout alone", () => {
    const outside = files.flatMap((file) => graph.get(file)!.filter((to) => !to.startsWith("host/")));
    expect([...new Set(outside)].filter((to) => !OUTSIDE.some((allowed) => allowed.test(to)))).toEqual([]);
  });
});
