import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { requireAll } from "./require.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser of the page's tests: DORMOUSE_CHROMIUM, or where a distribution puts it. Undefined: there is none. */
export function chromiumPath(): string | undefined {
  return process.env.DORMOUSE_CHROMIUM ?? PLACES.find((path) => existsSync(path));
}

export const noChromium = "no Chromium: install it (apt-get install chromium) or name it in DORMOUSE_CHROMIUM";

/** Whether a test that needs the browser is skipped; under DORMOUSE_REQUIRE_ALL=1 it fails instead. */
export const skipsChromium = chromiumPath() === undefined && !requireAll;

export function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error(noChromium);
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page that collects what its console complains of. */
export async function openBrowserPage(
  browser: Browser,
  look: { readonly width: number; readonly height?: number; readonly scheme?: "light" | "dark" },
): Promise<{ page: Page; complaints: string[] }> {
  const { width, height = 900, scheme = "light" } = look;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  return { page, complaints };
}
