import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeFolders } from "../../../../host/core/system/folder.ts";

const root = mkdtempSync(join(tmpdir(), "dormouse-folders-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("makeFolders", () => {
  it("makes what is missing with its mode, and says the first; a second call makes nothing", () => {
    expect(makeFolders(join(root, "a", "b", "c"), 0o700)).toBe(join(root, "a"));
    expect(statSync(join(root, "a", "b")).mode & 0o777).toBe(0o700);
    expect(makeFolders(join(root, "a", "b", "c"))).toBeUndefined();
    expect(makeFolders(join(root, "a", "b", "d"))).toBe(join(root, "a", "b", "d"));
  });

  it("a file in the way → the system's error", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => makeFolders(join(root, "file"))).toThrow(expect.objectContaining({ code: "EEXIST" }));
    expect(() => makeFolders(join(root, "file", "below"))).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
  });

  it.skipIf(!existsSync("/proc/self"))("below a folder that answers ENOENT → its error, and no endless loop (needs /proc)", () => {
    expect(() => makeFolders("/proc/x/y")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});
