import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { writeDeb } from "../../../../host/firmware/package/deb.ts";
import { readFromTar, writeTar } from "../../../../host/firmware/package/tar.ts";
import { needPrograms } from "../../../support/programs.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-deb-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const long = `./${"folder-of-some-length/".repeat(6)}file.bin`;

describe("the tar writer", () => {
  it("writes what tar reads: names, modes, owner, time, content", (context) => {
    needPrograms(context, "tar");
    const file = join(folder, "a.tar");
    const entries = [
      { path: "./", mode: 0o755, bytes: new Uint8Array() },
      { path: "./run", mode: 0o755, bytes: Buffer.from("#!/bin/sh\n") },
      { path: long, mode: 0o600, bytes: new Uint8Array(513).fill(7) },
    ];
    writeFileSync(file, writeTar(entries, 499_162_500));
    const listed = execFileSync("tar", ["--utc", "--full-time", "-tvf", file], { encoding: "utf8" }).trim().split("\n");
    expect(listed.map((line) => line.replaceAll(/ +/g, " "))).toEqual([
      "drwxr-xr-x root/root 0 1985-10-26 08:15:00 ./",
      "-rwxr-xr-x root/root 10 1985-10-26 08:15:00 ./run",
      `-rw------- root/root 513 1985-10-26 08:15:00 ${long}`,
    ]);
    expect(execFileSync("tar", ["-xOf", file, long])).toEqual(Buffer.alloc(513, 7));
  });

  it("reads back every file it wrote", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 1500 }), { minLength: 1, maxLength: 5 }), (files) => {
        const archive = writeTar(
          files.map((bytes, i) => ({ path: `./f${i}`, mode: 0o644, bytes })),
          0,
        );
        for (const [i, bytes] of files.entries()) expect(Buffer.compare(readFromTar(archive, `./f${i}`)!, bytes)).toBe(0);
        expect(readFromTar(archive, "./none")).toBeUndefined();
      }),
    );
  });

  it("finds nothing in any bytes that are no archive, without a crash", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => readFromTar(bytes, "package/bin/node") === undefined));
  });

  it("refuses a path that no header holds", () => {
    expect(() => writeTar([{ path: `./${"x".repeat(120)}`, mode: 0o644, bytes: new Uint8Array() }], 0)).toThrow(/does not fit/);
  });
});

describe("the Debian package writer", () => {
  const write = () =>
    writeDeb({
      control: [
        ["Package", "dormouse-test"],
        ["Version", "1.2"],
        ["Architecture", "all"],
        ["Maintainer", "Nobody <nobody@localhost>"],
        ["Description", "A test\n Of the writer."],
      ],
      files: [
        { path: "/usr/lib/dormouse-test/run", bytes: Buffer.from("#!/bin/sh\necho hello\n"), mode: 0o755 },
        { path: "/etc/dormouse/test.json", bytes: Buffer.from("{}\n"), mode: 0o600, isConfig: true },
      ],
      scripts: { postinst: "#!/bin/sh\nexit 0\n" },
    });

  it("gives the same bytes twice", () => {
    expect(Buffer.compare(write(), write())).toBe(0);
  });

  it("writes what dpkg-deb reads and unpacks (needs dpkg-deb)", (context) => {
    needPrograms(context, "dpkg-deb");
    const file = join(folder, "t.deb");
    writeFileSync(file, write());
    const field = (name: string) => execFileSync("dpkg-deb", ["-f", file, name], { encoding: "utf8" }).trim();
    expect([field("Package"), field("Version"), field("Installed-Size")]).toEqual(["dormouse-test", "1.2", "2"]);
    expect(execFileSync("dpkg-deb", ["-I", file, "conffiles"], { encoding: "utf8" })).toBe("/etc/dormouse/test.json\n");
    const root = join(folder, "root");
    execFileSync("dpkg-deb", ["-x", file, root]);
    expect(execFileSync(join(root, "usr/lib/dormouse-test/run"), { encoding: "utf8" })).toBe("hello\n");
    expect(statSync(join(root, "etc/dormouse/test.json")).mode & 0o777).toBe(0o600);
    const sums = execFileSync("dpkg-deb", ["-I", file, "md5sums"], { encoding: "utf8" });
    writeFileSync(join(root, "sums"), sums);
    expect(execFileSync("md5sum", ["-c", "sums"], { cwd: root, encoding: "utf8" })).toContain("usr/lib/dormouse-test/run: OK");
    expect(readFileSync(join(root, "etc/dormouse/test.json"), "utf8")).toBe("{}\n");
  });
});
