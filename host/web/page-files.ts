import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ConfigError } from "../core/system/errors.ts";
import { packageRoot } from "../core/system/package-root.ts";
import { tokenStyle } from "../page/tokens.ts";

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** The dashboard's files. Throws PAGE_MISSING. */
export const readPageFiles = (): ReadonlyMap<string, PageFile> => readFiles("index.html", "main.js", "page.css", "icon.svg");

/** The files of the page that a phone opens. Throws PAGE_MISSING. */
export const readPhoneFiles = (): ReadonlyMap<string, PageFile> => readFiles("phone.html", "phone.js", "phone.css", "icon.svg");

/** Files by path, from dist/web, the first one at / too; the colours are those of the reports. */
function readFiles(...names: readonly [string, ...string[]]): ReadonlyMap<string, PageFile> {
  const folder = join(packageRoot(), "dist", "web");
  const file = (type: string, body: Buffer): PageFile => ({ type, body, gzipped: gzipSync(body, { level: 9 }) });
  const files = new Map<string, PageFile>();
  try {
    for (const name of names) files.set(`/${name}`, file(TYPES[name.split(".").at(-1)!]!, readFileSync(join(folder, name))));
  } catch (cause) {
    throw new ConfigError("PAGE_MISSING", `the page's files are not in ${folder}: build them with npm run build, or use --no-http.`, {
      cause,
    });
  }
  files.set("/tokens.css", file(TYPES.css!, Buffer.from(tokenStyle)));
  files.set("/", files.get(`/${names[0]}`)!);
  return files;
}
