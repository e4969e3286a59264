import { Agent, get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { type Dashboard, type DashboardTools, openDashboard } from "../../../host/web/dashboard.ts";
import { isLoopback, isOwnHost, isOwnOrigin, readCookie } from "../../../host/web/request-guard.ts";
import { until } from "../../support/until.ts";
import { decision, INFO, scriptedRun } from "./scripted-run.ts";

const open: Dashboard[] = [];
afterEach(async () => {
  for (const page of open.splice(0)) await page.close();
});

async function dashboard(tools: DashboardTools = {}, host = "127.0.0.1"): Promise<Dashboard> {
  const page = await openDashboard({ clock: systemClock, address: { host, port: 0 }, speed: 1, tools });
  open.push(page);
  return page;
}

const post = (url: string, act: string, body: string, headers: Record<string, string> = {}) =>
  fetch(new URL(`act/${act}`, url), { method: "POST", body, headers: { origin: new URL(url).origin, ...headers } });

/** A request with a Host of its own, which fetch would not send. */
function status(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

/** Reads a stream's messages as they come. */
function listen(url: string, agent?: Agent) {
  const messages: { event: string; data: unknown }[] = [];
  let text = "";
  let response: IncomingMessage | undefined;
  const call = get(new URL("events", url), { ...(agent && { agent }) }, (got) => {
    response = got;
    got.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [event = "", data = "null"] = text.slice(0, end).split("\ndata: ");
        if (event.startsWith("event: ")) messages.push({ event: event.slice(7), data: JSON.parse(data) });
        text = text.slice(end + 2);
      }
    });
    got.on("error", () => {});
  });
  call.on("error", () => {});
  return { messages, pause: () => response?.pause(), resume: () => response?.resume(), close: () => call.destroy() };
}

describe("who is answered", () => {
  it("a Host must be an address, localhost or a name of ours", () => {
    for (const host of ["127.0.0.1:8080", "[::1]:80", "localhost", "192.168.0.7:1", "Desk.local:80".toLowerCase()])
      expect(isOwnHost(host, ["desk.local"]), host).toBe(true);
    for (const host of [undefined, "", "evil", "evil:80", "localhost.evil.example", "127.0.0.1.evil.example", "a@127.0.0.1", "[evil]:80"])
      expect(isOwnHost(host, ["desk.local"]), host).toBe(false);
    fc.assert(fc.property(fc.domain(), (name) => !isOwnHost(`${name}:80`, ["desk.local"])));
    expect(["127.0.0.1", "::1", "localhost", "127.3.4.5"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "10.0.0.1", "127.evil"].some(isLoopback)).toBe(false);
  });

  it("an Origin must be the page's own; nothing that is sent breaks the check", () => {
    expect(isOwnOrigin("http://127.0.0.1:80", "127.0.0.1:80")).toBe(true);
    expect(isOwnOrigin("https://desk.local", "desk.local")).toBe(true);
    for (const origin of [undefined, "null", "http://evil.example", "http://127.0.0.1:81", "http://127.0.0.1.evil.example:80"])
      expect(isOwnOrigin(origin, "127.0.0.1:80"), origin).toBe(false);
    fc.assert(
      fc.property(fc.string(), fc.string(), (origin, cookie) => {
        expect(isOwnOrigin(origin, "127.0.0.1:80")).toBe(false);
        readCookie({ headers: { cookie } }, "a");
      }),
    );
    expect(readCookie({ headers: { cookie: "b=1; a=2" } }, "a")).toBe("2");
  });

  it("serves the page on the machine itself without a token, with a policy that lets nothing out", async () => {
    const { url } = await dashboard();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
    const html = await response.text();
    const files = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1]!);
    expect(files).toEqual(["icon.svg", "tokens.css", "page.css", "main.js"]);
    let bytes = 0;
    for (const file of ["", ...files])
      await new Promise<void>((resolve) => {
        get(new URL(file, url), { headers: { "accept-encoding": "gzip" } }, (got) => {
          expect([got.statusCode, got.headers["content-encoding"]]).toEqual([200, "gzip"]);
          got.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
          });
          got.on("end", resolve);
        });
      });
    expect(bytes).toBeLessThan(60_000); // all of the page, gzipped
    expect((await fetch(new URL("../../package.json", url))).status).toBe(404);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
  });

  it("refuses a foreign Host, and a change that another page sends", async () => {
    const { url } = await dashboard();
    const { port } = new URL(url);
    expect(await status(url, { host: "evil" })).toBe(403);
    expect(await status(url, { host: `evil.example:${port}` })).toBe(403);
    expect(await status(url, { host: `localhost:${port}` })).toBe(200);
    expect((await post(url, "pace", "{}", { origin: "http://evil.example" })).status).toBe(403);
    expect((await fetch(new URL("act/pace", url), { method: "POST", body: "{}" })).status).toBe(403);
    expect((await post(url, "pace", "{}")).status).toBe(200);
  });

  it("a named host needs the printed token, once; then its cookie", async () => {
    const { url } = await dashboard({}, "0.0.0.0");
    const local = url.replace("0.0.0.0", "127.0.0.1");
    expect(new URL(url).searchParams.get("token")).toMatch(/^[\w-]{24}$/);
    expect((await fetch(new URL("/", local))).status).toBe(401);
    expect((await fetch(new URL("/events", local))).status).toBe(401);
    expect((await fetch(new URL("/?token=wrong", local))).status).toBe(401);
    const first = await fetch(local, { redirect: "manual" });
    expect([first.status, first.headers.get("location")]).toEqual([303, "/"]);
    const cookie = first.headers.get("set-cookie")!;
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await fetch(new URL("/", local), { headers: { cookie: cookie.split(";")[0]! } })).status).toBe(200);
  });
});

describe("acts", () => {
  it("pace the run, switch the broker, ask; each refuses what it does not know with a reason", async () => {
    const switched: boolean[] = [];
    const broker = { isUp: true, set: async (isUp: boolean) => void switched.push(isUp) };
    const answer = async (question: string) => ({
      text: `${question}!`,
      by: "device",
      why: "local",
      intent: null,
      probability: 0,
      millis: 1,
    });
    const { url, pace } = await dashboard({ broker, answer });
    await post(url, "pace", '{"speed":5,"isPaused":true}');
    expect([pace.speed, pace.isPaused]).toEqual([5, true]);
    await post(url, "pace", '{"speed":0,"isPaused":false,"hurryTo":3}');
    expect([pace.speed, pace.isPaused, pace.pass(2), pace.pass(3)]).toEqual([Number.POSITIVE_INFINITY, false, true, false]);
    await post(url, "broker", '{"isUp":false}');
    expect(switched).toEqual([false]);
    expect(await (await post(url, "question", '{"text":"how long"}')).json()).toMatchObject({ text: "how long!" });
    const codes = [
      await post(url, "pace", '{"speed":-1}'),
      await post(url, "pace", '{"hurryTo":"<b>"}'),
      await post(url, "broker", '{"isUp":1}'),
      await post(url, "question", '{"text":""}'),
      await post(url, "pace", "[1]"),
      await post(url, "pace", "x".repeat(10_000)),
      await post(url, "__proto__", "{}"),
      await post(url, "constructor", "{}"),
    ].map((response) => response.status);
    expect(codes).toEqual([409, 409, 409, 409, 400, 400, 404, 404]);
  });

  it("a run that has no broker to switch and no assistant says so", async () => {
    const { url } = await dashboard();
    const response = await post(url, "broker", '{"isUp":true}');
    expect([response.status, await response.text()]).toEqual([409, "this run's broker cannot be switched.\n"]);
    expect((await post(url, "question", '{"text":"x"}')).status).toBe(409);
  });

  it("any body and path leave the server answering", async () => {
    const { url } = await dashboard();
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.webSegment(), async (body, path) => {
        expect((await post(url, "pace", body)).status).toBeLessThan(500);
        expect((await fetch(new URL(`/x${path}`, url))).status).toBeLessThan(500);
      }),
      { numRuns: 15 },
    );
    const raw = connect(Number(new URL(url).port), "127.0.0.1");
    raw.on("error", () => {});
    raw.end("GET / HTTP/1.1\r\nHost: [\r\n\r\n\0\0");
    expect((await fetch(url)).status).toBe(200);
  });
});

describe("streams", () => {
  it("forty pages: 32 are served, the others are told why not, and nothing ends", async () => {
    const page = await dashboard();
    const { view } = page.show(scriptedRun());
    const agent = new Agent({ maxSockets: 50 });
    const listeners = Array.from({ length: 40 }, () => listen(page.url, agent));
    await until(() => listeners.every(({ messages }) => messages.length > 0), "every page has heard something");
    const events = listeners.map(({ messages }) => messages[0]!.event).sort();
    expect(events).toEqual([...new Array(8).fill("bye"), ...new Array(32).fill("run")]);
    expect(page.clients).toBe(32);
    view.onStep(decision(1));
    const served = listeners.filter(({ messages }) => messages[0]!.event === "run");
    await until(() => served.every(({ messages }) => messages.some(({ event }) => event === "frame")), "every page has got the decision");
    for (const one of served) one.close();
    await until(() => page.clients === 0, "those who left are forgotten");
    view.close();
  });

  it("a page that never reads loses messages and keeps nobody waiting; when it reads again it is told how many, and brought up to date", async () => {
    const page = await dashboard();
    const { view } = page.show({ ...scriptedRun(), info: { ...INFO, labels: ["x".repeat(300)] } });
    const slow = listen(page.url);
    const quick = listen(page.url);
    await until(() => slow.messages.length > 0 && quick.messages.length > 0, "both pages have come");
    slow.pause();
    let i = 0;
    const frames = () => quick.messages.filter(({ event }) => event === "frame").length;
    // Messages fill the socket's buffers and then the backlog's bound.
    for (let round = 0; round < 100 && page.lostMessages === 0; round++) {
      const before = frames();
      for (let k = 0; k < 200; k++) view.onStep(decision(++i, { reason: "r".repeat(4000) }));
      await until(() => frames() > before, "the page that reads has got it");
    }
    expect(page.lostMessages).toBeGreaterThan(0);
    slow.resume();
    await until(() => slow.messages.some(({ event }) => event === "lost"), "the slow page is told");
    const at = slow.messages.findIndex(({ event }) => event === "lost");
    expect((slow.messages[at]!.data as { messages: number }).messages).toBeGreaterThan(0);
    await until(() => slow.messages.length > at + 1, "and it gets everything again");
    expect(slow.messages[at + 1]!.event).toBe("run");
    expect(page.clients).toBe(2);
    for (const one of [slow, quick]) one.close();
    view.close();
  });

  it("says why it ends", async () => {
    const page = await dashboard();
    const one = listen(page.url);
    await until(() => page.clients === 1, "the page has come");
    await page.close("The demo has ended.");
    await until(() => one.messages.length > 0, "the page is told");
    expect(one.messages).toEqual([{ event: "bye", data: { reason: "The demo has ended." } }]);
  });

  it("a request that never ends does not keep others out", async () => {
    const { url } = await dashboard();
    const calls = Array.from({ length: 5 }, () => {
      const call = request(new URL("act/pace", url), { method: "POST", headers: { origin: new URL(url).origin, "content-length": 100 } });
      call.on("error", () => {});
      call.write("{");
      return call;
    });
    expect((await fetch(url)).status).toBe(200);
    for (const call of calls) call.destroy();
  });
});
