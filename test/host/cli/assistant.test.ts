import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { writeTextImage } from "../../../host/core/text/text-image.ts";
import { localDay } from "../../../host/diary/local-day.ts";
import { randomTextImage } from "../../golden/random-text-image.ts";
import { cli } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const NOON = localDay(1_790_000_000_000).startMillis + 12 * 3_600_000;
const clock = { ...systemClock, wall: () => NOON };
const io = (lines: readonly string[] = []) => ({
  ...{ cwd: folder.path, clock },
  async *lines() {
    yield* lines;
  },
});

/** An agent that takes every text for one intent. */
function knows(intent: string, asks = ""): string {
  const path = join(folder.path, intent);
  const image = randomTextImage(3);
  mkdirSync(path);
  writeFileSync(join(path, "model.dmm"), writeTextImage({ ...image, threshold: 0 }));
  const answeredAs = JSON.stringify(Object.fromEntries(image.manifest.labels.map((label) => [label, intent])));
  const source = `import { defineTextAgent } from "dormouse-edge";
export default defineTextAgent({ name: "helper", model: "model.dmm", text: { language: "en" }, local: ["how-long", "forget-today", "stop"], answeredAs: ${answeredAs}, ${asks} });
`;
  writeFileSync(join(path, "agent.ts"), source);
  return path;
}

const ask = (agent: string, text: string, ...more: string[]) => cli(["run", agent, "--text", text, "--json", ...more], io());
const SENSOR = ["--sensor", "synthetic:1", "--seconds", "300"];

describe("the demo", () => {
  it("ends with one question that the device answers and one that the cloud answers; its figures do not count them", async () => {
    const { code, stdout } = await cli("demo --headless --seconds 20 --speed max --seed 1 --json".split(" "), io());
    expect(code).toBe(0);
    const { lost, answers } = JSON.parse(stdout);
    expect(lost).toBe(0);
    expect(answers).toMatchObject([
      { by: "device", why: "local", intent: "how-long", state: "answered" },
      { by: "cloud", why: "unsure", state: "answered", text: expect.stringMatching(/^Totals of today: /) },
    ]);
  }, 30_000);
});

describe("run assistant", () => {
  it("the agent that ships answers from the diary, and names what it may not", async () => {
    expect(JSON.parse((await ask("assistant", "how long have I been sitting?", ...SENSOR)).stdout)).toMatchObject({
      ...{ by: "device", intent: "how-long", why: "local", state: "answered" },
    });
    expect(JSON.parse((await ask("assistant", "wie wird das Wetter morgen?")).stdout)).toMatchObject({ by: "template", state: "withheld" });
  }, 30_000);

  it("--text and --sensor without a broker → the figure that diary --json has, by the device", async () => {
    const { code, stdout } = await ask(knows("how-long"), "how long?", ...SENSOR);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    const { current, asOf } = JSON.parse((await cli(["diary", "--json"], io())).stdout);
    expect(answer).toMatchObject({ by: "device", intent: "how-long", why: "local", seconds: current.seconds });
    expect(answer.millis).toBeGreaterThanOrEqual(0);
    expect(Date.parse(asOf)).toBeLessThanOrEqual(NOON + 1280); // the recording ends now
    expect(Date.parse(asOf)).toBeGreaterThan(NOON - 2560);
  }, 30_000);

  it("a prompt → answers line by line, and ends with stop", async () => {
    const agent = knows("how-long");
    const { code, stdout } = await cli(["run", agent], io(["how long", "", "how long", "stop", "how long"]));
    expect(code).toBe(0);
    expect(stdout.match(/The diary is empty/g)).toHaveLength(2);
  });

  it.each(["", "\0", "🔋", "\ud800", "\u202e"])("%j → named, exit code 0, one document", async (text) => {
    const { code, stdout } = await ask(knows("how-long"), text);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: "invalid", why: "input", intent: null });
  });

  it("a question that the device has no answer to → withheld without --ask-text; with it, and without a broker, too", async () => {
    const agent = knows("weather");
    const texts = [];
    for (const more of [[], ["--ask-text"]]) {
      const { stdout } = await ask(agent, "rain?", ...more);
      const { text, ...answer } = JSON.parse(stdout);
      expect(answer).toMatchObject({ by: "template", state: "withheld", why: "needs-cloud" });
      texts.push(text);
    }
    expect(texts[0]).toContain("asks.text");
    expect(texts[1]).toContain("--broker");
  });

  it("a broker that is not there → saved at once in the outbox, without the name; forgotten, it is gone from it", async () => {
    const agent = knows("weather", "asks: { text: true }");
    const { code, stdout } = await ask(agent, "Does Anna like rain?", "--broker", "mqtt://127.0.0.1:1");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ by: "template", state: "saved" });
    const data = join(folder.path, ".dormouse");
    const [outbox] = readdirSync(data).filter((name) => name.endsWith(".outbox"));
    const written = readFileSync(join(data, outbox!), "latin1");
    expect(written).toContain("Does <NAME_1> like rain?");
    expect(written).not.toContain("Anna");
    expect(JSON.parse((await ask(knows("forget-today"), "forget today")).stdout)).toMatchObject({ by: "device" });
    expect(readFileSync(join(data, outbox!), "latin1")).not.toContain("rain");
  }, 30_000);

  it("forget today → diary and ledger are cleared", async () => {
    await ask(knows("how-long"), "how long?", ...SENSOR);
    const agent = knows("forget-today");
    const ledger = join(folder.path, "ledger.jsonl");
    const line = (wallMillis: number) => `${JSON.stringify({ id: "0".repeat(32), node: "n", state: "answered", wallMillis })}\n`;
    writeFileSync(ledger, line(NOON - 86_400_000) + line(NOON));
    const args = ["--broker", "mqtt://127.0.0.1:1", "--ledger", "ledger.jsonl"];
    expect(JSON.parse((await ask(agent, "forget today", ...args)).stdout).by).toBe("device");
    expect(readdirSync(join(folder.path, ".dormouse", "diary"))).toEqual([]);
    expect(readFileSync(ledger, "utf8")).toBe(line(NOON - 86_400_000));
  }, 30_000);

  it.each([
    ["OPTION_UNUSED", ["--board", "pico"]],
    ["SENSOR_ENDLESS", ["--sensor", "synthetic:1"]],
    ["OPTION_ALONE", ["--seconds", "3"]],
    ["OPTION_ALONE", ["--ledger", "l.jsonl"]],
    ["REPLAY_MISSING", ["--sensor", "replay:nowhere"]],
  ])("%s: %j is refused", async (code, more) => {
    const { stdout } = await ask(knows("how-long"), "how long?", ...more);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
  });

  it("--text for an agent that reads a sensor → refused, and nothing is written", async () => {
    const { stdout } = await ask("activity", "how long?");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "OPTION_ALONE" } });
    expect(existsSync(join(folder.path, ".dormouse"))).toBe(false);
  });

  it("--share with something else → a usage error that names it", async () => {
    expect((await ask(knows("how-long"), "x", "--share", "address")).stdout).toContain("address");
  });
});
