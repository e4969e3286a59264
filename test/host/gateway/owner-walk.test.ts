import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { createProgram } from "../../../host/cli/program.ts";
import { type Clock, systemClock } from "../../../host/core/system/clock.ts";
import { freePort, hasMosquitto, listening, MOSQUITTO } from "../../support/broker.ts";
import { commandLines, fencedBlocks, readText } from "../../support/readme.ts";
import { until } from "../../support/until.ts";
import { cli, fakeIo } from "../cli/fake-io.ts";

const README = "host/mqtt/home-assistant/README.md";

/** Product time passes so many times faster: the synthetic device's first label need not be waited for. */
const PACE = 8;
const clock: Clock = {
  now: () => PACE * systemClock.now(),
  wall: () => systemClock.wall(),
  after: (millis, run) => systemClock.after(millis / PACE, run),
};

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

describe("the walk of a home-automation owner, as its README has it (needs mosquitto)", () => {
  it("files and commands in their order: Home Assistant's user finds the node and reads its label; a wrong password is refused", {
    timeout: 60_000,
  }, async (context) => {
    if (!hasMosquitto() || spawnSync("mosquitto_passwd", ["--help"]).error !== undefined) context.skip("mosquitto is not installed");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-owner-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755); // in /etc/mosquitto, too, mosquitto's own user may look
    const port = await freePort();
    const here = (text: string) => text.replaceAll("/etc/mosquitto", folder).replace("broker.lan:1883", `127.0.0.1:${port}`);
    const walk = readText(README).split("\n## ")[1]!;
    const isRoot = process.getuid?.() === 0; // else mosquitto stays this user, who owns the file already
    const fileOf = (language: string) => here(fencedBlocks(walk).find((block) => block.language === language)!.text);

    const conf = join(folder, "home.conf");
    writeFileSync(conf, fileOf("conf").replace("listener 1883", `listener ${port} 127.0.0.1`));
    const [synthetic] = /\{ "match": "synthetic[^}]*\}/.exec(walk)!;
    writeFileSync(join(folder, "gateway.json"), fileOf("json").replace(/\[\{.*\}\]/, `[${synthetic}]`));
    const lines = commandLines(walk).map(here);
    const shell = lines.filter((line) => !line.startsWith("npx ") && (isRoot || !line.startsWith("chown ")));
    for (const line of shell) {
      const { status, stderr } = spawnSync("sh", ["-c", line], { cwd: folder, encoding: "utf8" });
      expect(status, `${line}: ${stderr}`).toBe(0);
    }
    const broker = spawn(MOSQUITTO!, ["-c", conf], { stdio: "ignore" });
    const ended = once(broker, "exit");
    opened.push(async () => {
      broker.kill();
      await ended;
    });
    await listening(port, broker);

    const [check, run] = lines.filter((line) => line.startsWith("npx dormouse ")).map((line) => line.split(" ").slice(2));
    const checked = await cli(check!, { cwd: folder });
    expect(checked.code, checked.stdout + checked.stderr).toBe(0);
    const gateway = fakeIo({ cwd: folder, clock });
    const serving = (await createProgram(gateway.io)).parseAsync(run!, { from: "user" });
    opened.push(async () => {
      gateway.interrupt();
      await serving;
    });

    const heard = new Map<string, string>();
    const login = (password: string) =>
      mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { username: "homeassistant", password, protocolVersion: 5, reconnectPeriod: 0 });
    await expect(login("WRONG")).rejects.toThrow(/not authorized/i);
    const home = await login("SECRET");
    opened.push(() => home.endAsync(true));
    home.on("message", (topic, payload) => heard.set(topic, payload.toString()));
    await home.subscribeAsync(["homeassistant/#", "dormouse/v1/#"]);
    await until(() => heard.has("dormouse/v1/home/demo/label/activity"), "Home Assistant reads a label");
    const found = JSON.parse(heard.get("homeassistant/device/demo/dormouse_home_demo/config")!) as {
      cmps: { label: { options: string[] } };
    };
    expect(found.cmps.label.options).toContain(heard.get("dormouse/v1/home/demo/label/activity"));
    expect(heard.get("dormouse/v1/home/demo/availability")).toBe("online");
  });
});
