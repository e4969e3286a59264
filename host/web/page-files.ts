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

const TYPES = {
  "index.html": "text/html; charset=utf-8",
  "main.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** The page's files by path, from dist/web; the colours are those of the reports. Throws PAGE_MISSING. */
export function readPageFiles(folder = join(packageRoot(), "dist", "web")): ReadonlyMap<string, PageFile> {
  const file = (type: string, body: Buffer): PageFile => ({ type, body, gzipped: gzipSync(body, { level: 9 }) });
  const files = new Map<string, PageFile>();
  try {
    for (const [name, type] of Object.entries(TYPES)) files.set(`/${name}`, file(type, readFileSync(join(folder, name))));
  } catch (cause) {
    throw new ConfigError("PAGE_MISSING", `the page's files are not in ${folder}: build them with npm run build, or use --no-http.`, {
      cause,
    });
  }
  files.set("/tokens.css", file(TYPES["page.css"], Buffer.from(tokenStyle)));
  files.set("/", files.get("/index.html")!);
  return files;
}
