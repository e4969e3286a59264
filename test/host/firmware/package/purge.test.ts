import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeDeb } from "../../../../host/firmware/package/deb.ts";
import { gatewayPaths, gatewayScripts } from "../../../../host/firmware/package/gateway-unit.ts";
import { needPrograms } from "../../../support/programs.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-purge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a gateway package that goes (needs dpkg)", () => {
  it("removed → its state and configuration stay; purged → nothing of it is left, and all of its neighbour", (context) => {
    needPrograms(context, "dpkg");
    const root = join(folder, "root");
    const paths = gatewayPaths("activity");
    const deb = join(folder, "dormouse-activity.deb");
    const control = [
      ["Package", paths.packageName],
      ["Version", "1"],
      ["Architecture", "all"],
      ["Maintainer", "Dormouse <dormouse@localhost>"],
      ["Description", "the scripts of a gateway package"],
    ] as const;
    const files = [
      { path: paths.config, bytes: Buffer.from("{}"), mode: 0o600, isConfig: true },
      { path: paths.unit, bytes: Buffer.from("[Unit]") },
    ];
    writeFileSync(deb, writeDeb({ control, files, scripts: gatewayScripts(paths) }));
    for (const name of ["info", "updates", "triggers"]) mkdirSync(join(root, "var/lib/dpkg", name), { recursive: true });
    for (const name of ["status", "available"]) writeFileSync(join(root, "var/lib/dpkg", name), "");
    const dpkg = (...args: string[]) =>
      execFileSync("dpkg", [`--root=${root}`, "--force-script-chrootless", "--force-not-root", "--force-depends", ...args], {
        env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
        stdio: "pipe",
      });
    const make = (path: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), "x");
    };
    const own = ["/var/lib/private/dormouse-activity/node.outbox", "/etc/systemd/system/dormouse-activity.service.d/override.conf"];
    own.push(paths.config, paths.passwordFile);
    const others = ["/var/lib/private/dormouse-activity-2/node.outbox", "/etc/dormouse/fall.json"];
    const there = (list: readonly string[]) => list.filter((path) => existsSync(join(root, path)));

    dpkg("-i", deb);
    for (const path of [...own.filter((one) => one !== paths.config), ...others]) make(path);
    symlinkSync("private/dormouse-activity", join(root, "var/lib/dormouse-activity"));
    dpkg("-r", "dormouse-activity");
    expect(there([...own, paths.unit])).toEqual(own);
    dpkg("-P", "dormouse-activity");
    expect(there([...own, "/var/lib/dormouse-activity", "/var/lib/private/dormouse-activity"])).toEqual([]);
    expect(there(others)).toEqual(others);
  });
});
