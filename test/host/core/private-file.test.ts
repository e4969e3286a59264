import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWhole } from "../../../host/core/private-file.ts";

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
});
