import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Model } from "../../../host/core/session/model.ts";
import { cli } from "./fake-io.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-devices-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === "win32")("a device in the place of a file → is refused before it is read", () => {
  it.each([
    ["inspect", "/dev/zero"],
    ["inspect", "/dev/null", "/dev/null"],
    ["flash", "/dev/zero", "--board", "pico"],
    ["fits", "/dev/zero", "--board", "pico"],
    ["run", "/dev/zero", "--headless", "--seconds", "1"],
    ["run", "activity", "--headless", "--seconds", "1", "--sensor", "replay:/dev/zero"],
    ["simulate", "activity", "--board", "pico", "--network", "/dev/zero"],
  ])("%s %s", async (...args) => {
    const { code, stdout, stderr } = await cli(args, { cwd: folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("/dev/");
  });

  it("the library's Model.open", async () => {
    await expect(Model.open("/dev/zero")).rejects.toMatchObject({ code: "IMAGE_UNREADABLE", cause: { code: "NOT_A_FILE" } });
  });
});
