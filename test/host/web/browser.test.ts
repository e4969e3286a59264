import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Loop } from "../../../host/agent/loop-types.ts";
import { runCli } from "../../../host/cli/program.ts";
import { systemClock } from "../../../host/core/system/clock.ts";
import { type Dashboard, type DashboardRun, type DashboardTools, openDashboard } from "../../../host/web/dashboard.ts";
import { createFleetFeed } from "../../../host/web/fleet-feed.ts";
import { launchChromium, noChromium, openBrowserPage, skipsChromium } from "../../support/chromium.ts";
import { until } from "../../support/until.ts";
import { fakeIo } from "../cli/fake-io.ts";
import { ask, COUNTERS, decision, INFO, LABELS, outcome, scriptedRun } from "./scripted-run.ts";

/** Violations of the accessibility rules, in words. */
async function violations(page: Page): Promise<string[]> {
  // The page's policy lets no inline script in: the debugger's own evaluation does.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

const widthOver = (page: Page) => page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");

describe.skipIf(skipsChromium)(`the page in Chromium (${skipsChromium ? noChromium : "as people see it"})`, () => {
  let browser: Browser;
  const open: Dashboard[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    for (const page of open) await page.close();
  });

  async function dashboard(run: Partial<DashboardRun> | undefined, tools: DashboardTools = {}) {
    const page = await openDashboard({ clock: systemClock, address: { host: "127.0.0.1", port: 0 }, speed: 1, tools });
    open.push(page);
    return { dashboard: page, view: run && page.show(scriptedRun(run)).view };
  }

  it("the demo: a decision, the broker taken away and brought back, every ask answered, a question, nothing complained of", async () => {
    const { io, interrupt, output } = fakeIo();
    const ended = runCli(["demo", "--http", "0", "--speed", "20", "--seed", "1"], io);
    await until(() => output().stderr.includes("Watch it at "), "the demo says where its page is");
    const url = /Watch it at (\S+)/.exec(output().stderr)![1]!;
    const { page, complaints } = await openBrowserPage(browser, { width: 1280 });
    await page.goto(url);
    await page.locator("#label").filter({ hasNotText: "waking up" }).waitFor();
    expect(LABELS).toContain(await page.locator("#label").textContent());
    await page.locator("#link", { hasText: "broker online" }).waitFor();

    await page.locator("#broker", { hasText: "Take the broker away" }).click();
    await page.locator("#link", { hasText: /offline, next try in \d+ s/ }).waitFor();
    await page.locator("#broker", { hasText: "Bring the broker back" }).click();
    await page.locator("#link", { hasText: "broker online" }).waitFor();
    await page.locator("#outbox-text", { hasText: "Nothing waits" }).waitFor();
    const [, asked, answered] = /(\d+) asked, (\d+) answered/.exec((await page.locator("#asks-of").textContent())!)!;
    expect(Number(asked)).toBeGreaterThan(0);
    expect(answered).toBe(asked);

    await page.locator("#question").fill("How long have I been standing?");
    await page.keyboard.press("Enter");
    await page.locator("#answers small", { hasText: "by the device · how-long" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
    interrupt();
    expect(await ended).toBe(0);
  });

  it("the slider, by keyboard: looks back one decision per key, says so in the address, and comes back to now", async () => {
    const { view } = await dashboard({});
    for (let i = 1; i <= 50; i++) view!.onStep(decision(i, { shown: LABELS[i % 3]!, label: LABELS[i % 3]! }));
    const { page, complaints } = await openBrowserPage(browser, { width: 1280 });
    await page.goto(open.at(-1)!.url);
    await page.locator("#label", { hasText: LABELS[50 % 3]! }).waitFor();
    await page.locator("#slider").focus();
    await page.keyboard.press("ArrowLeft");
    await page.locator("#label", { hasText: LABELS[49 % 3]! }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.locator("#label", { hasText: LABELS[48 % 3]! }).waitFor();
    const seconds = 47 * 1.28;
    expect(await page.evaluate("location.hash")).toBe(`#t=${seconds.toFixed(2)}`);
    view!.onStep(decision(51)); // looking back, the page stays where it is
    await page.locator("#position", { hasText: "of 1:04" }).waitFor();
    expect(await page.locator("#label").textContent()).toBe(LABELS[48 % 3]);

    const { page: linked } = await openBrowserPage(browser, { width: 1280 });
    await linked.goto(`${open.at(-1)!.url}#t=${seconds}`);
    await linked.locator("#label", { hasText: LABELS[48 % 3]! }).waitFor();
    await linked.close();

    await page.locator("#forth").click();
    await page.locator("#label", { hasText: LABELS[49 % 3]! }).waitFor();
    await page.locator("#live").click();
    await page.locator("#label", { hasText: "walking" }).waitFor();
    expect(await page.evaluate("location.hash")).toBe("");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("a recording: a time that has not come yet is run to; pause, step and speed steer the run", async () => {
    const sensor = { ...scriptedRun().sensor, frames: 50 * 600 };
    const { dashboard: shown, view } = await dashboard({ sensor });
    const { pace } = shown;
    for (let i = 1; i <= 10; i++) view!.onStep(decision(i));
    const { page } = await openBrowserPage(browser, { width: 1280 });
    await page.goto(`${shown.url}#t=40`);
    await page.locator("#position", { hasText: "of 10:00" }).waitFor();
    await until(() => pace.pass(39), "the run is hurried to the linked time");
    expect(pace.pass(40)).toBe(false);
    for (let i = 11; i <= 40; i++) view!.onStep(decision(i, { shown: "sitting" }));
    await page.locator("#position", { hasText: "0:40 of 10:00" }).waitFor();
    await page.locator("#live").click();
    await page.locator("#play", { hasText: "Pause" }).click();
    await until(() => pace.isPaused, "the run is paused");
    await page.locator("#play", { hasText: "Play" }).waitFor();
    await page.locator("#forth").click();
    await until(() => pace.takeStep(), "a step is asked for");
    await page.locator("#speed").selectOption("5");
    await until(() => pace.speed === 5, "the speed is set");
    view!.close();
    await page.locator("#clock", { hasText: "ended" }).waitFor();
    expect(await page.locator("#play").isDisabled()).toBe(true);
    await page.close();
  });

  it("an agent with an alarm: which events were told and which alarms were false, and no label is called wrong", async () => {
    const tally = (found: number, falseAlarms: number) => ({ events: 3, found, alarms: found + falseAlarms, falseAlarms });
    const truth = { ...COUNTERS.truth, alarms: { label: "fall", shown: tally(3, 0), device: tally(2, 4) } };
    const loop = () => ({ counters: () => ({ ...COUNTERS, truth }) }) as unknown as Loop;
    const { view } = await dashboard({ info: { ...INFO, labels: ["daily", "fall"], alarm: "fall" }, loop });
    view!.onStep(decision(1, { label: "daily", shown: "fall", truth: "daily" }));
    const { page, complaints } = await openBrowserPage(browser, { width: 1280 });
    await page.goto(open.at(-1)!.url);
    await page.locator("#accuracy div").first().waitFor();
    expect(await page.locator("#accuracy div").allTextContents()).toEqual([
      "falls told, with the cloud3 of 3",
      "falls told, without2 of 3",
      "false alarms, with the cloud0",
      "false alarms, without4",
    ]);
    expect(await page.locator("#accuracy .best").count()).toBe(2);
    expect(await page.locator("#chips").textContent()).toContain("in truth: daily");
    expect(await page.locator("#chips .miss").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("is usable by everybody, in light and dark, wide and narrow; a long label with markup is text, and is cut", async () => {
    const evil = `<img src=x onerror="document.title='hit'">${"very ".repeat(60)}`.slice(0, 300);
    const labels = [evil, ...LABELS.slice(1)];
    const { view } = await dashboard({ info: { ...INFO, labels } }, { answer: async () => Promise.reject(new Error("none")) });
    for (let i = 1; i <= 100; i++) {
      if (i % 10 === 0) view!.onStep(ask(`a${i}`, i));
      view!.onStep(decision(i, { label: evil, shown: evil, truth: i % 7 === 0 ? "sitting" : evil, reason: evil }));
      if (i % 20 === 0) view!.onStep(outcome(`a${i}`, i));
    }
    view!.onStep({ kind: "event", tick: 6400, label: evil, before: undefined, source: "local", confidence: 0.9 });
    view!.onStep({ kind: "anomaly", error: { code: "X", message: evil } as never });
    for (const [width, scheme] of [
      [1280, "light"],
      [1280, "dark"],
      [390, "light"],
      [390, "dark"],
    ] as const) {
      const { page, complaints } = await openBrowserPage(browser, { width, scheme });
      await page.goto(open.at(-1)!.url);
      await page.locator("#events li").first().waitFor();
      expect(await page.locator("#label").textContent()).toBe(evil);
      expect(await page.title()).toBe("dormouse");
      expect([width, await widthOver(page)]).toEqual([width, 0]);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it("lists the nodes of a site, and writes only the cells that change", async () => {
    const fleet = createFleetFeed(systemClock, LABELS);
    const row = {
      node: "wrist-10",
      state: "awake",
      label: "sitting",
      stateOfCharge: 0.9,
      skinCelsius: 31,
      model: "555e0d11aa",
      asks: 0,
    } as const;
    fleet.set(row);
    fleet.set({ ...row, node: "wrist-9", state: "offline" });
    await dashboard(undefined, { fleet });
    const { page, complaints } = await openBrowserPage(browser, { width: 390 });
    await page.goto(open.at(-1)!.url);
    await page.locator("#nodes tbody tr").nth(1).waitFor();
    expect(await page.locator("#nodes tbody tr td:first-child").allTextContents()).toEqual(["wrist-9", "wrist-10"]);
    expect(await page.locator("#fleet-of").textContent()).toBe("2 nodes: 1 awake, 1 offline");
    await page.evaluate(`
      globalThis.written = [];
      new MutationObserver((list) => written.push(...list.map(({ target }) => target.textContent)))
        .observe(document.querySelector("#nodes tbody"), { childList: true, characterData: true, subtree: true });
    `);
    fleet.set({ ...row, label: "walking" });
    await page.locator("#nodes tr", { hasText: "walking" }).waitFor();
    expect(await page.evaluate("written")).toEqual(["walking"]);
    expect(await widthOver(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("sorts the nodes by a column, filters them by words, and opens a node's own page", async () => {
    const fleet = createFleetFeed(systemClock, LABELS);
    const row = { state: "awake", label: "sitting", stateOfCharge: 0.9, skinCelsius: 31, model: "555e0d11aa", asks: 0 } as const;
    fleet.set({ ...row, node: "wrist-2", asks: 7 });
    fleet.set({ ...row, node: "wrist-10", stateOfCharge: 0.2, firmware: "1.2.3", wallMillis: Date.UTC(2026, 5, 1, 8, 30) });
    fleet.set({ ...row, node: "belt", state: "offline", stateOfCharge: -1 });
    await dashboard(undefined, { fleet });
    const { page, complaints } = await openBrowserPage(browser, { width: 1280 });
    await page.goto(open.at(-1)!.url);
    const shown = () => page.locator("#nodes tbody tr:visible td:first-child").allTextContents();
    await page.locator("#nodes tbody tr").nth(2).waitFor();
    expect(await shown()).toEqual(["belt", "wrist-2", "wrist-10"]);
    const battery = page.getByRole("button", { name: "battery" });
    await battery.press("Enter");
    expect(await shown()).toEqual(["wrist-10", "wrist-2", "belt"]); // what is unknown comes last
    await battery.click();
    expect(await shown()).toEqual(["wrist-2", "wrist-10", "belt"]);
    expect(await page.locator("#nodes th", { has: battery }).getAttribute("aria-sort")).toBe("descending");
    await page.locator("#filter").fill("offline");
    expect(await shown()).toEqual(["belt"]);
    await page.locator("#filter").fill("nowhere");
    expect(await page.locator("#none").isVisible()).toBe(true);
    await page.locator("#filter").fill("1.2.3 sitting");
    expect(await shown()).toEqual(["wrist-10"]);
    expect(await page.locator("#link").isVisible()).toBe(false);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.getByRole("link", { name: "wrist-10" }).click();
    expect(new URL(page.url()).searchParams.get("node")).toBe("wrist-10");
    await page.close();
  });
});
