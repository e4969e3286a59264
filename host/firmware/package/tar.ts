import { DataError } from "../../core/system/errors.ts";

/** One entry of an archive. */
export interface TarEntry {
  /** Path without a leading slash; a folder's ends with one. */
  readonly path: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** A ustar archive (POSIX.1-1988): owner root, one time for all entries, in the given order. The same entries give the same bytes. */
export function writeTar(entries: readonly TarEntry[], mtimeSeconds: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    parts.push(header(entry, mtimeSeconds), entry.bytes, new Uint8Array(-entry.bytes.length & (BLOCK_BYTES - 1)));
  }
  parts.push(new Uint8Array(2 * BLOCK_BYTES));
  return Buffer.concat(parts);
}

function header({ path, mode, bytes }: TarEntry, mtimeSeconds: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  const [prefix, name] = splitPath(path);
  const octal = (value: number, at: number, digits: number) => block.write(`${value.toString(8).padStart(digits, "0")}\0`, at, "latin1");
  block.write(name, 0, "utf8");
  octal(mode, 100, 7);
  octal(0, 108, 7); // uid
  octal(0, 116, 7); // gid
  octal(bytes.length, 124, 11);
  octal(mtimeSeconds, 136, 11);
  block.fill(0x20, 148, 156); // the checksum counts as spaces
  block.write(path.endsWith("/") ? "5" : "0", 156, "latin1");
  block.write("ustar\0" + "00", 257, "latin1");
  block.write("root", 265, "latin1");
  block.write("root", 297, "latin1");
  block.write(prefix, 345, "utf8");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ["", path];
  for (let at = path.indexOf("/"); at > 0 && at < path.length - 1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES) return [prefix, name];
  }
  throw new DataError("TAR_PATH_TOO_LONG", `the path ${path} does not fit into a tar header. Shorten it.`);
}

/** The content of one file of a ustar or GNU archive, or undefined if it has no such path. */
export function readFromTar(archive: Uint8Array, path: string): Uint8Array | undefined {
  const text = (from: number, bytes: number): string => {
    const field = archive.subarray(from, from + bytes);
    const end = field.indexOf(0);
    return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
  };
  for (let at = 0; at + BLOCK_BYTES <= archive.length; ) {
    const name = text(at, NAME_BYTES);
    if (name === "") return undefined;
    const prefix = text(at + 345, PREFIX_BYTES);
    const bytes = Number.parseInt(text(at + 124, 12).trim(), 8);
    if (!Number.isInteger(bytes) || bytes < 0) return undefined;
    const start = at + BLOCK_BYTES;
    if ((prefix === "" ? name : `${prefix}/${name}`) === path) {
      return start + bytes <= archive.length ? archive.slice(start, start + bytes) : undefined;
    }
    at = start + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}
