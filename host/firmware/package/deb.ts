import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type TarEntry, writeTar } from "./tar.ts";

/** Every entry of every package has this time, 1985-10-26 08:15 UTC, as npm's do: a package is a function of its content. */
export const PACKAGE_MTIME_SECONDS = 499_162_500;

/** A file of a package. */
export interface PackageFile {
  /** Absolute install path. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode?: number; // default 0644
  /** Kept as the administrator changed it when the package is updated. */
  readonly isConfig?: boolean;
}

export interface DebOptions {
  /** Fields of the control file, in order. Installed-Size is added. */
  readonly control: readonly (readonly [field: string, value: string])[];
  readonly files: readonly PackageFile[];
  /** Maintainer scripts: postinst, prerm, postrm. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** A Debian binary package, format 2.0 (deb(5)): an ar archive of debian-binary, control.tar.gz and data.tar.gz. */
export function writeDeb({ control, files, scripts }: DebOptions): Uint8Array {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const installedKib = sorted.reduce((sum, file) => sum + Math.ceil(file.bytes.length / 1024), 0);
  const fields = [...control.slice(0, -1), ["Installed-Size", String(installedKib)] as const, ...control.slice(-1)]; // Description comes last
  const configs = sorted.filter((file) => file.isConfig === true);
  const controlEntries = [
    text("./control", `${fields.map(([field, value]) => `${field}: ${value}`).join("\n")}\n`, 0o644),
    text("./md5sums", sorted.map((file) => `${md5(file.bytes)}  ${file.path.slice(1)}\n`).join(""), 0o644),
    ...(configs.length === 0 ? [] : [text("./conffiles", configs.map((file) => `${file.path}\n`).join(""), 0o644)]),
    ...Object.entries(scripts).map(([name, script]) => text(`./${name}`, script, 0o755)),
  ];
  const dataEntries = [
    ...foldersOf(sorted).map((folder) => ({ path: `.${folder}`, mode: 0o755, bytes: new Uint8Array() })),
    ...sorted.map((file) => ({ path: `.${file.path}`, mode: file.mode ?? 0o644, bytes: file.bytes })),
  ];
  return writeAr([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzip(writeTar([folder("./"), ...controlEntries], PACKAGE_MTIME_SECONDS))],
    ["data.tar.gz", gzip(writeTar(dataEntries, PACKAGE_MTIME_SECONDS))],
  ]);
}

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");
const folder = (path: string): TarEntry => ({ path, mode: 0o755, bytes: new Uint8Array() });
const text = (path: string, content: string, mode: number): TarEntry => ({ path, mode, bytes: Buffer.from(content) });

/** Every folder above the files, parents first, each ending with a slash. */
function foldersOf(files: readonly PackageFile[]): string[] {
  const folders = new Set<string>(["/"]);
  for (const { path } of files) {
    for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) folders.add(path.slice(0, at + 1));
  }
  return [...folders].sort();
}

/** gzip without time and operating system in its header. */
export function gzip(bytes: Uint8Array, level = 6): Uint8Array {
  const packed = gzipSync(bytes, { level });
  packed[9] = 255; // OS: unknown
  return packed;
}

/** A common ar archive, as dpkg reads it. */
function writeAr(members: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from("!<arch>\n")];
  for (const [name, bytes] of members) {
    const head = [
      name.padEnd(16),
      String(PACKAGE_MTIME_SECONDS).padEnd(12),
      "0".padEnd(6),
      "0".padEnd(6),
      "100644".padEnd(8),
      String(bytes.length).padEnd(10),
      "`\n",
    ];
    parts.push(Buffer.from(head.join("")), bytes, Buffer.alloc(bytes.length % 2, "\n"));
  }
  return Buffer.concat(parts);
}
