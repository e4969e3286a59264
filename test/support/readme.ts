import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../../host/core/system/package-root.ts";

const FOLDERS = ["agents", "assembly", "boards", "host", "test"];

/** Text of a file of the repository. */
export const readText = (path: string): string => readFileSync(join(packageRoot(), path), "utf8");

/** Every README, model card and notebook of the repository, as paths relative to it. */
export function readmePaths(): string[] {
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  );
  const ours = below.filter((path) => !path.includes("/node_modules/")); // test/support/llama has packages of its own
  return ["README.md", ...ours.filter((path) => /\/(README|CARD|NOTEBOOK)\.md$/.test(path)).sort()];
}

export interface FencedBlock {
  readonly language: string; // empty: a command line or a picture
  readonly text: string; // its lines, each with its end
}

/** Fenced blocks of a Markdown text, in order. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  return [...markdown.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language: language!, text: text! }));
}

/** Command lines of a Markdown text, without comments: those of fenced blocks, each part of `a && b` by itself. */
export function commandLines(markdown: string): string[] {
  return fencedBlocks(markdown)
    .filter(({ language }) => language === "")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => /^[a-z]/.test(line) && !line.includes("─"))
    .flatMap((line) => line.replace(/\s+#.*$/, "").split(" && "))
    .map((line) => line.trim().replace(/\s+/g, " "));
}

/** Command lines in running text: code spans that begin with `dormouse` and a verb, written out in full. */
export function inlineCommands(markdown: string): string[] {
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/`(?:npx )?(dormouse [a-z][^`]*)`/g)].map(([, line]) => line!).filter((line) => !/[<…|[]/.test(line));
}

/** Relative links of a Markdown file, and whether their target is there. */
export function linksOf(path: string): { target: string; isThere: boolean }[] {
  return [...readText(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^(https?:|#)/.test(target))
    .map((target) => ({ target, isThere: existsSync(join(packageRoot(), dirname(path), target.replace(/#.*$/, ""))) }));
}

/** Source files that a Markdown file names in code spans with a folder, and whether each is there: below the root, the folder of the text, or one whose files texts name briefly. */
export function namedFiles(path: string): { file: string; isThere: boolean }[] {
  const roots = [".", dirname(path), "host", "test"].map((folder) => join(packageRoot(), folder));
  return [...readText(path).matchAll(/`([a-z][\w./-]*\/[\w.-]+\.(?:ts|c|h|ld|json|csv|wasm))`/g)]
    .map(([, file]) => file!)
    .filter((file) => !file.startsWith("dist/"))
    .map((file) => ({ file, isThere: roots.some((root) => existsSync(join(root, file))) }));
}
