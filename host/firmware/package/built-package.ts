import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzip, PACKAGE_MTIME_SECONDS, type PackageFile, writeDeb } from "./deb.ts";
import type { Architecture } from "./node-runtime.ts";

const MAINTAINER = "Dormouse <dormouse@dormouse.invalid>"; // nobody reads mail here: RFC 2606
const CONTENT_COLUMNS = 72;

export interface PackageContent {
  readonly packageName: string;
  readonly version: string;
  readonly architecture: Architecture;
  readonly depends: string;
  /** The description's first line, and its paragraphs. */
  readonly summary: string;
  readonly text: readonly string[];
  /** What is new in this version, one line: the Debian changelog's entry. */
  readonly changes: string;
  readonly files: readonly PackageFile[];
  /** What lintian says and is meant so, a tag with its place each. */
  readonly overrides?: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
}

/** A Debian package on the disk. */
export interface BuiltPackage {
  readonly path: string;
  readonly format: "deb";
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes a package and the Debian changelog that it carries. The same content gives the same bytes. */
export function writePackage(outFolder: string, content: PackageContent): BuiltPackage {
  const { packageName, version, architecture, files, overrides = [], scripts } = content;
  const deb = writeDeb({
    control: [
      ["Package", packageName],
      ["Version", version],
      ["Architecture", architecture],
      ["Maintainer", MAINTAINER],
      ["Section", "misc"],
      ["Priority", "optional"],
      ["Depends", content.depends],
      ["Description", [content.summary, ...content.text.flatMap(descriptionLines)].join("\n ")],
    ],
    files: [
      ...files,
      { path: `/usr/share/doc/${packageName}/changelog.gz`, bytes: gzip(Buffer.from(changelog(content)), 9) },
      ...(overrides.length === 0 ? [] : [overridesFile(packageName, overrides)]),
    ],
    scripts,
  });
  const path = join(outFolder, `${packageName}_${version}_${architecture}.deb`);
  writeFileSync(path, deb);
  return { path, format: "deb", bytes: deb.length, sha256: createHash("sha256").update(deb).digest("hex") };
}

function overridesFile(packageName: string, overrides: readonly string[]): PackageFile {
  const lines = overrides.map((tag) => `${packageName}: ${tag}\n`);
  return { path: `/usr/share/lintian/overrides/${packageName}`, bytes: Buffer.from(lines.join("")) };
}

/** deb-changelog(5). */
function changelog({ packageName, version, changes }: PackageContent): string {
  const date = new Date(PACKAGE_MTIME_SECONDS * 1000).toUTCString().replace("GMT", "+0000");
  return `${packageName} (${version}) stable; urgency=medium\n\n  * ${changes}.\n\n -- ${MAINTAINER}  ${date}\n`;
}

/** A paragraph as lines of a description, none too long for a terminal. */
function descriptionLines(paragraph: string): string[] {
  const lines = [""];
  for (const word of paragraph.split(" ")) {
    const last = lines.at(-1)!;
    if (last !== "" && last.length + 1 + word.length > CONTENT_COLUMNS) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
