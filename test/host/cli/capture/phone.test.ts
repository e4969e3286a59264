import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../../host/cli/program.ts";
import { parseCsvFile } from "../../../../host/data/csv/csv-file.ts";
import { launchChromium, noChromium, skipsChromium } from "../../../support/chromium.ts";
import { until } from "../../../support/until.ts";
import { cli, fakeIo } from "../fake-io.ts";
import { tempFolder } from "../temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(async () => {
  folder = tempFolder();
  await cli(["new", "gestures", "--kind", "imu"], { cwd: folder.path });
});
afterEach(() => folder.remove());

/** A capture that waits for a phone. */
async function capturePhone() {
  const { io, interrupt, output } = fakeIo({ cwd: folder.path });
  const args = ["capture", "gestures", "--phone", "127.0.0.1", "--wearer", "4", "--labels", "walk,sit", "--countdown", "1"];
  const ended = runCli(args, io);
  await until(() => output().stderr.includes("Open https://"), "the capture says where its page is");
  return { url: /Open (\S+) on the phone/.exec(output().stderr)![1]!, ended, interrupt, output };
}

/** One request, its certificate not checked: it is the capture's own. */
function ask(url: string | URL, options: { method?: string; cookie?: string; body?: string; origin?: string } = {}) {
  const { method = "GET", cookie, body, origin } = options;
  return new Promise<{ status: number; text: string; cookie: string | undefined }>((resolve, reject) => {
    const headers = { ...(cookie && { cookie }), ...(origin && { origin }), "content-type": "application/json" };
    const call = request(url, { method, headers, agent: new Agent({ rejectUnauthorized: false }) }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, text, cookie: response.headers["set-cookie"]?.[0]?.split(";")[0] }));
    });
    call.on("error", reject).end(body);
  });
}

describe("the page of a phone", () => {
  it("opens once: the code used again is refused in a sentence, and so is everything without its cookie", async () => {
    const { url, ended, interrupt } = await capturePhone();
    expect((await ask(new URL("/", url))).status).toBe(401);
    const first = await ask(url);
    expect(first.status).toBe(303);
    const again = await ask(url);
    expect(again.status).toBe(401);
    expect(again.text).toBe("this code was used before: it opens the page once. Start the capture again for a new one.\n");
    const page = await ask(new URL("/", url), { cookie: first.cookie! });
    expect(page.text).toContain("dormouse capture");
    expect((await ask(url, { cookie: first.cookie! })).status).toBe(303); // the same phone, opened again
    const token = new URL(url).searchParams.get("token")!;
    expect(first.cookie).not.toContain(token); // the code is no cookie
    const post = (body: string) =>
      ask(new URL("/act/samples", url), { method: "POST", cookie: first.cookie!, body, origin: new URL(url).origin });
    for (const samples of [
      "x",
      [[1]],
      [[1, 2, 3, 4, 5, 6, "7"]],
      [[1, 2, 3, 4, 5, 6, null]],
      Array.from({ length: 513 }, () => [1, 2, 3, 4, 5, 6, 7]),
    ]) {
      const refused = await post(JSON.stringify({ samples }));
      expect(refused).toMatchObject({ status: 409, text: "samples must be at most 512 lists of a time and six numbers.\n" });
    }
    expect((await post("{}".padEnd(100_000))).status).toBe(400);
    interrupt();
    expect(await ended).toBe(1); // nothing was labelled
  });
});

describe.skipIf(skipsChromium)(`a phone's browser (${skipsChromium ? noChromium : "Chromium in its place"})`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** Opens the page; `permission` is what requestPermission answers. */
  async function openPage(url: string, permission: "granted" | "denied" | "none") {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.addInitScript(`
      window.motionOf = (from, seconds, hz) => {
        for (let i = 0; i < seconds * hz; i++) {
          const event = new DeviceMotionEvent("devicemotion", {
            accelerationIncludingGravity: { x: 0, y: 4.903325, z: 9.80665 }, rotationRate: { alpha: 1, beta: -2, gamma: 90 }, interval: 1000 / hz,
          });
          Object.defineProperty(event, "timeStamp", { value: from + (i * 1000) / hz });
          dispatchEvent(event);
        }
      };
      ${permission === "none" ? "delete window.DeviceMotionEvent;" : `DeviceMotionEvent.requestPermission = async () => "${permission}";`}
    `);
    await page.goto(url);
    return { page, context };
  }

  it("sends motion in g and degrees per second after a tap; its buttons label; the file is as train reads it", async () => {
    const { url, ended, output } = await capturePhone();
    const { page, context } = await openPage(url, "granted");
    await page.locator("#start").click();
    await page.locator("#phase", { hasText: "press a label's key to begin" }).waitFor();
    const send = async (from: number, seconds: number) => {
      await page.evaluate(`motionOf(${from}, ${seconds}, 60)`);
      await page.evaluate("new Promise((done) => setTimeout(done, 0))");
    };
    await send(1000, 5);
    await page.locator("#values", { hasText: "x 0.00 g, y 0.50 g, z 1.00 g" }).waitFor();
    await until(() => output().stderr.includes("resampled to 50"), "the rate is told");
    await page.locator("button", { hasText: "walk" }).click();
    await page.locator("#phase", { hasText: "walk in" }).waitFor();
    await send(6000, 8);
    await page.locator("#phase", { hasText: "recording walk" }).waitFor();
    expect(await page.locator("button[aria-pressed=true]").textContent()).toBe("walk");
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.evaluate(`fetch("act/key", { method: "POST", headers: { "content-type": "application/json" }, body: '{"key":"q"}' })`);
    await send(14_000, 1);
    expect(await ended).toBe(0);
    await context.close();
    const path = join(folder.path, "gestures/recordings/s04-1.csv");
    const file = parseCsvFile(new Uint8Array(readFileSync(path)), path)[0]!;
    expect([...file.values.slice(0, 6)]).toEqual([0, 0.5, 1, 1, -2, 90]);
    expect(file.channels.map(({ name, unit }) => `${name}[${unit}]`).join()).toBe("ax[g],ay[g],az[g],gx[°/s],gy[°/s],gz[°/s]");
    expect(file.time[1]).toBeCloseTo(0.02, 6);
    expect(new Set(file.labels)).toEqual(new Set(["walk", undefined]));
    expect(output().stdout).toMatch(/s04-1\.csv: \d+ samples at 50 Hz, walk [\d.]+ s, sit 0\.0 s/);
  });

  it.each([
    ["denied", "Motion access was refused, so nothing can be recorded."],
    ["none", "This browser offers no motion sensor to pages."],
  ] as const)("says in a sentence why there is no motion: %s", async (permission, sentence) => {
    const { url, ended, interrupt } = await capturePhone();
    const { page, context } = await openPage(url, permission);
    await page.locator("#start").click();
    await page.locator("#trouble", { hasText: sentence }).waitFor();
    await context.close();
    interrupt();
    expect(await ended).toBe(1);
  });

  it("says that a phone without gyroscope will not do", async () => {
    const { url, ended, interrupt } = await capturePhone();
    const { page, context } = await openPage(url, "granted");
    await page.locator("#start").click();
    await page.locator("#phase", { hasText: "press a label's key" }).waitFor();
    await page.evaluate(`dispatchEvent(new DeviceMotionEvent("devicemotion", { accelerationIncludingGravity: { x: 0, y: 0, z: 9.8 } }))`);
    await page.locator("#trouble", { hasText: "This phone has no gyroscope, and an IMU agent needs both." }).waitFor();
    await context.close();
    interrupt();
    expect(await ended).toBe(1);
  });
});
