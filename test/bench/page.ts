import type { Browser, Page } from "playwright-core";
import { runCli } from "../../host/cli/program.ts";
import { createRandom } from "../../host/core/system/random.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { openDashboard } from "../../host/web/dashboard.ts";
import { createFleetFeed } from "../../host/web/fleet-feed.ts";
import { launchChromium } from "../support/chromium.ts";

const LABELS = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying", "transition"];
const FLEET_SECONDS = 20;

/** Milliseconds between animation frames while the page runs. */
const WATCH_FRAMES = `
  globalThis.frames = [];
  let before;
  const watch = (now) => { if (before !== undefined) globalThis.frames.push(now - before); before = now; requestAnimationFrame(watch); };
  requestAnimationFrame(watch);
`;

/** The demo's page in Chromium, and a table of nodes that all change once per second: how soon, and how smoothly. */
export async function benchPage(io: CliIo, nodes: number): Promise<void> {
  const browser = await launchChromium();
  try {
    await benchDemo(io, browser);
    await benchFleet(io, browser, nodes);
  } finally {
    await browser.close();
  }
}

async function benchDemo(io: CliIo, browser: Browser): Promise<void> {
  const stop = new AbortController();
  let printed = "";
  const stderr = (text: string): void => {
    printed += text;
  };
  const ended = runCli(["demo", "--http", "0", "--seed", "1"], { ...io, stdout: () => {}, stderr, interrupt: stop.signal });
  while (!printed.includes("Watch it at ")) await new Promise((resolve) => setTimeout(resolve, 20));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const opened = performance.now();
  await page.goto(/Watch it at (\S+)/.exec(printed)![1]!);
  await page.locator("#label").filter({ hasNotText: "waking up" }).waitFor();
  io.stdout(`first decision after opening: ${Math.round(performance.now() - opened)} ms\n`);
  await page.locator("#link", { hasText: "online" }).waitFor();
  await page.evaluate(WATCH_FRAMES);
  await page.waitForTimeout(5000);
  io.stdout(`frames of the demo's page: ${await framesText(page)}\n`);
  const away = performance.now();
  await page.locator("#broker", { hasText: "away" }).click();
  await page.locator("#link", { hasText: "offline, next try" }).waitFor();
  io.stdout(`"offline, next try" after the click: ${Math.round(performance.now() - away)} ms\n`);
  await page.locator("#broker", { hasText: "back" }).click();
  const back = performance.now();
  await page.locator("#link", { hasText: "online" }).waitFor();
  await page.locator("#outbox-text", { hasText: "Nothing waits" }).waitFor();
  io.stdout(
    `online again, and every ask answered: ${Math.round(performance.now() - back)} ms; ${await page.locator("#asks-of").textContent()}\n`,
  );
  await page.close();
  stop.abort();
  await ended;
}

async function benchFleet(io: CliIo, browser: Browser, nodes: number): Promise<void> {
  const random = createRandom(1);
  const fleet = createFleetFeed(io.clock, LABELS);
  const dashboard = await openDashboard({ clock: io.clock, address: { host: "127.0.0.1", port: 0 }, speed: 1, tools: { fleet } });
  const rows = Array.from({ length: nodes }, (_, i) => ({
    ...{ node: `wrist-${i + 1}`, state: "awake" as const, label: LABELS[i % LABELS.length]!, stateOfCharge: 0.9, skinCelsius: 31 },
    ...{ model: "555e0d11", asks: 0 },
  }));
  const tick = (): void => {
    for (const row of rows) {
      if (random.uniform() < 0.2) row.label = LABELS[random.integer(LABELS.length)]!;
      row.skinCelsius = 31 + Math.round(10 * random.uniform()) / 10;
      row.asks += random.uniform() < 0.1 ? 1 : 0;
      fleet.set({ ...row });
    }
  };
  tick();
  const timer = setInterval(tick, 1000);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(dashboard.url);
  await page
    .locator("#nodes tbody tr")
    .nth(nodes - 1)
    .waitFor();
  await page.evaluate(WATCH_FRAMES);
  await page.waitForTimeout(1000 * FLEET_SECONDS);
  io.stdout(`frames of ${nodes} nodes at 1 Hz: ${await framesText(page)}\n`);
  clearInterval(timer);
  await page.close();
  await dashboard.close();
}

async function framesText(page: Page): Promise<string> {
  const frames = (await page.evaluate<number[]>("frames")).sort((a, b) => a - b);
  const at = (share: number): string => `${(frames[Math.floor(share * (frames.length - 1))] ?? 0).toFixed(1)} ms`;
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${at(1)} of ${frames.length}`;
}
