import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { makePrivateFolder, readPrivate, writeWhole } from "../../../../host/core/system/private-file.ts";

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

describe("a file that is written whole", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dormouse-private-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("replaces the one before it, and a private one is its owner's alone", () => {
    const path = join(folder, "client.key");
    for (const content of ["first", "second"]) writeWhole(path, content, { isPrivate: true });
    expect(readFileSync(path, "utf8")).toBe("second");
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["client.key"]);
  });

  it("leaves nothing of itself behind when it cannot take its place", () => {
    mkdirSync(join(folder, "client.key"));
    expect(() => writeWhole(join(folder, "client.key"), "secret", { isPrivate: true })).toThrow(
      expect.objectContaining({ code: "FILE_UNWRITABLE" }) as Error,
    );
    expect(readdirSync(folder)).toEqual(["client.key"]);
  });

  it("a file or link under the temporary name of an earlier version → neither is written to", () => {
    const waiting = join(folder, `.client.key.${process.pid}.part`);
    writeFileSync(waiting, "", { mode: 0o666 });
    const spy = openSync(waiting, "r");
    writeWhole(join(folder, "client.key"), "secret", { isPrivate: true });
    expect(readFileSync(spy, "utf8")).toBe("");
    closeSync(spy);
    symlinkSync(join(folder, "stolen"), join(folder, `.b.key.${process.pid}.part`));
    writeWhole(join(folder, "b.key"), "secret", { isPrivate: true });
    expect(existsSync(join(folder, "stolen"))).toBe(false);
  });

  it("a link in its own place → the link is replaced, its target is not written to", () => {
    writeFileSync(join(folder, "target"), "before");
    symlinkSync(join(folder, "target"), join(folder, "client.key"));
    writeWhole(join(folder, "client.key"), "secret", { isPrivate: true });
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("before");
  });
});

describe.skipIf(process.platform === "win32")("a folder for a wearer's data", () => {
  const make = (prepare: (folder: string) => void): number => {
    const folder = join(mkdtempSync(join(tmpdir(), "dormouse-private-")), "data");
    prepare(folder);
    makePrivateFolder(folder, { mark: ".outbox" });
    const mode = modeOf(folder);
    rmSync(join(folder, ".."), { recursive: true });
    return mode;
  };
  const open = (folder: string, mode = 0o755): void => {
    mkdirSync(folder);
    chmodSync(folder, mode);
  };

  it("is its owner's alone, also one of an earlier version that others could enter", () => {
    expect(make(() => {})).toBe(0o700);
    expect(make(open)).toBe(0o700);
    const used = (folder: string) => {
      open(folder);
      writeFileSync(join(folder, "wrist-1.outbox"), "");
      writeFileSync(join(folder, "ledger.jsonl"), "");
    };
    expect(make(used)).toBe(0o700);
  });

  it("holds other things as well → it stays as it is: /tmp, a home, the system's folders", () => {
    expect(make((folder) => open(folder, 0o1777))).toBe(0o1777);
    const withFile = (folder: string) => {
      open(folder);
      writeFileSync(join(folder, "notes.txt"), "");
    };
    const withFolder = (folder: string) => {
      open(folder);
      mkdirSync(join(folder, "sub"));
      writeFileSync(join(folder, "wrist-1.outbox"), "");
    };
    expect([make(withFile), make(withFolder)]).toEqual([0o755, 0o755]);
  });
});

describe.skipIf(process.platform === "win32")("a key that is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-private-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (path: string) => readPrivate(path, "the key", "Mend it.");
  const refused = (code: string) => expect.objectContaining({ code }) as Error;

  it("others can read it, it is a folder, or it is not there → it is refused", () => {
    writeFileSync(join(folder, "a.key"), "secret", { mode: 0o600 });
    expect(read(join(folder, "a.key"))).toBe("secret");
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(join(folder, "a.key"), mode);
      expect(() => read(join(folder, "a.key"))).toThrow(refused("KEY_EXPOSED"));
    }
    expect(() => read(folder)).toThrow(refused("FILE_UNREADABLE"));
    expect(() => read("/dev/null")).toThrow(refused("FILE_UNREADABLE"));
    expect(() => read(join(folder, "none"))).toThrow(refused("FILE_UNREADABLE"));
  });

  it("belongs to another user → it is refused, but for root, who may read anybody's", () => {
    const path = join(folder, "b.key");
    writeFileSync(path, "secret", { mode: 0o600 });
    if (process.geteuid?.() === 0) chownSync(path, 1, 1);
    const user = vi.spyOn(process, "geteuid" as never) as unknown as MockInstance<() => number>;
    user.mockReturnValue(statSync(path).uid + 1);
    expect(() => read(path)).toThrow(refused("KEY_FOREIGN"));
    user.mockReturnValue(0);
    expect(read(path)).toBe("secret");
    user.mockRestore();
  });
});
