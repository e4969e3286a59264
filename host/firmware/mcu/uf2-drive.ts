import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FirmwareError } from "../../core/system/errors.ts";
import { readUf2 } from "./image/uf2.ts";

/** A drive that a UF2 boot loader shows. */
export interface Uf2Drive {
  readonly path: string;
  readonly boardId: string;
}

/** What a board's boot loader takes: of board.json's flashing. */
export interface Uf2Method {
  readonly familyId: string; // "0xe48bff56"
  readonly boardId: string;
  readonly how: string;
}

const INFO = "INFO_UF2.TXT";
/** Files by which boot loaders show the flash content; not leftovers. */
const OWN_FILES = /^(CURRENT|FIRMWARE)\.UF2$/i;

/** The UF2 drive at a folder; undefined if it is none. */
export function uf2DriveAt(path: string): Uf2Drive | undefined {
  const info = join(path, INFO);
  if (!existsSync(info)) return undefined;
  const boardId = /^Board-ID:\s*(\S+)/m.exec(readFileSync(info, "latin1"))?.[1];
  return boardId === undefined ? undefined : { path, boardId };
}

/** Every UF2 drive in the usual mount folders. */
export function findUf2Drives(user: string | undefined): Uf2Drive[] {
  const parents = ["/media", "/mnt", "/Volumes", ...(user === undefined ? [] : [`/media/${user}`, `/run/media/${user}`])];
  return parents
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).map((name) => uf2DriveAt(join(parent, name))))
    .filter((drive) => drive !== undefined);
}

/** Checks that a UF2 file, itself checked (check-program.ts), may go on the drive: the right boot loader, nothing half-written there, room enough. */
export function checkUf2Copy(file: Uint8Array, drive: Uf2Drive, method: Uf2Method, board: string): void {
  if (drive.boardId !== method.boardId) {
    throw new FirmwareError(
      "FLASH_WRONG_CHIP",
      `the drive ${drive.path} is a ${drive.boardId}, the ${board} shows ${method.boardId}. ${method.how}`,
    );
  }
  for (const name of readdirSync(drive.path)) {
    if (!/\.uf2$/i.test(name) || OWN_FILES.test(name)) continue;
    try {
      readUf2(new Uint8Array(readFileSync(join(drive.path, name))));
    } catch (cause) {
      throw new FirmwareError(
        "FLASH_HALF_WRITTEN",
        `an earlier copy to ${drive.path} was cut short (${name}), and the board waits for its rest. Unplug the board. ${method.how}`,
        { cause },
      );
    }
  }
  const { bavail, bsize } = statfsSync(drive.path);
  if (bavail * bsize < file.length) {
    throw new FirmwareError(
      "FLASH_NO_ROOM",
      `the drive ${drive.path} has ${bavail * bsize} B free, the file ${file.length} B. Unplug the board. ${method.how}`,
    );
  }
}

/** Writes a checked file to the drive, and waits until it is there. */
export function copyUf2(file: Uint8Array, drive: Uf2Drive, name: string, how: string): void {
  const path = join(drive.path, name);
  let done = 0;
  let open: number | undefined;
  try {
    open = openSync(path, "w");
    while (done < file.length) done += writeSync(open, file, done);
    fsyncSync(open);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // The last block makes the board restart, and its drive goes away while the system is still tidying up.
    if (done === file.length && !existsSync(join(drive.path, INFO))) return;
    throw new FirmwareError(
      "FLASH_CUT",
      `the drive went away after ${done} of ${file.length} B (${code ?? String(cause)}): the board is half-written. ${how} Then flash again.`,
      { cause },
    );
  } finally {
    try {
      if (open !== undefined) closeSync(open);
    } catch {
      // the drive is gone: the board has restarted
    }
  }
}
