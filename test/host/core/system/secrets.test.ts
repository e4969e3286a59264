import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBroker } from "../../../../host/cli/common/broker-link.ts";
import { runCli } from "../../../../host/cli/program.ts";
import { HIDDEN_URL, jsonFlaw, splitUrl, textWithoutSecrets, urlText } from "../../../../host/core/system/secrets.ts";
import { parseBrokerUrl } from "../../../../host/mqtt/transport/broker-url.ts";
import { createLog } from "../../../../host/telemetry/log.ts";
import { fakeIo } from "../../cli/fake-io.ts";

/** A password: pieces of letters that stand nowhere else, with what breaks URLs between them. */
const PIECE = fc.string({ unit: fc.constantFrom(..."xz79"), minLength: 3, maxLength: 6 });
const BREAK = fc.string({ unit: fc.constantFrom(..."/@:#?% \\[]&=+'\"`<>\t\n", "%40", "%2f", "://", "ü"), maxLength: 3 });
const password = fc.array(fc.tuple(BREAK, PIECE, BREAK), { minLength: 1, maxLength: 3 });
const url = fc.record({
  scheme: fc.constantFrom(
    "mqtt://",
    "mqtts://",
    "ws://",
    "wss://",
    "http://",
    "https://",
    "mqtt+insecure://",
    "MQTT://",
    "mqtt:/",
    "mqtt:",
    "",
    "//",
    "bad scheme://",
  ),
  user: fc.constantFrom("joe", "", "jo/e", "j:oe", "joe@home"),
  host: fc.constantFrom("127.0.0.1", "broker.example", "[::1]", "", "a b"),
  rest: fc.constantFrom("", ":1883", ":8883/mqtt", "/mqtt?a=1", ":88888", ":", "/@"),
});

/** Runs `check` on URLs with passwords in them: each piece of a password must be missing from what it returns. */
function neverTold(check: (text: string) => string, numRuns = 2000): void {
  fc.assert(
    fc.property(url, password, ({ scheme, user, host, rest }, parts) => {
      const text = `${scheme}${user}:${parts.flat().join("")}@${host}${rest}`;
      const told = check(text).toLowerCase();
      for (const [, piece] of parts) expect([text, told.includes(piece)]).toEqual([text, false]);
    }),
    { numRuns },
  );
}

function thrownBy(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    const { message, stack = "", cause } = error as Error;
    return `${message} ${stack} ${String(cause)} ${JSON.stringify(error)}`;
  }
}

describe("a password in a URL", () => {
  it("is in no printed URL, however malformed it is", () => neverTold(urlText));

  it("is in no error of the URL's reader", () => neverTold((text) => thrownBy(() => parseBrokerUrl({ url: text }))));

  it("is in no error of what a verb names its broker by, and in no URL that it hands on", () =>
    neverTold((text) => {
      let broker = { url: "" };
      const thrown = thrownBy(() => {
        broker = readBroker({ cwd: "/", env: {} }, { insecure: false }, undefined, text)!;
      });
      return `${thrown} ${thrownBy(() => parseBrokerUrl(broker))} ${urlText(broker.url)} ${splitUrl(text)?.bare ?? ""}`;
    }));

  it("is in no error of a library that quotes the URL, and in no log line", () => {
    fc.assert(
      fc.property(url, password, ({ scheme, user, host, rest }, parts) => {
        if (!scheme.includes("://")) return; // not a URL to whoever reads the text
        const text = `cannot reach "${scheme}${user}:${parts.flat().join("")}@${host}${rest}": refused`;
        const lines: string[] = [];
        createLog({ write: (line) => lines.push(line), wall: () => 0 }).write("info", text, { error: new Error(text) });
        const told = `${textWithoutSecrets(text)} ${lines.join(" ")}`.toLowerCase();
        for (const [, piece] of parts) expect([text, told.includes(piece)]).toEqual([text, false]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["cloud", "--json", "--broker"],
    ["cloud", "--json", "--workers", "2", "--broker"],
    ["run", "activity", "--headless", "--json", "--seconds", "1", "--broker"],
    ["run", "activity", "--headless", "--json", "--seconds", "1", "--otlp"],
    ["cloud", "--json", "--broker", "mqtt://127.0.0.1:1", "--provider", "openai", "--model", "m", "--base-url"],
    ["provision", "wrist-1", "--ca", "/dev/null/none", "--site", "s", "--json", "--broker"],
    ["run", "activity", "--metrics"],
    ["run", "activity", "--brooker="],
  ])("is in no output of dormouse %s %s", async (...args) => {
    for (const [text, piece] of [
      ["mqtt://joe:zx77/xxz9@127.0.0.1:1", "xxz9"],
      ["mqtt://joe:7799/xxz9@127.0.0.1:1", "7799"],
      ["ftp://joe:zzx?xxz9@x", "xxz9"],
    ] as const) {
      const { io, output } = fakeIo({ env: { PATH: "" } });
      const last = args.at(-1)!.endsWith("=") ? [...args.slice(0, -1), `${args.at(-1)}${text}`] : [...args, text];
      expect(await runCli(last, io)).toBe(1);
      expect(`${output().stdout}${output().stderr}`).not.toContain(piece);
      expect(`${output().stdout}${output().stderr}`.length).toBeGreaterThan(20);
    }
  });
});

describe("what is printed of a URL", () => {
  it.each([
    ["mqtts://joe:hunter22@broker:8883", "mqtts://broker:8883"],
    ["wss://broker.example/mqtt?token=abc#x", "wss://broker.example/mqtt"],
    ["mqtt://[::1]:1883", "mqtt://[::1]:1883"],
    ["mqtt://joe:12/34@127.0.0.1:1883", HIDDEN_URL], // parses as host joe, port 12
    ["mqtt://joe%3Ahunter22%40broker", HIDDEN_URL],
    ["hun#ter22%40broker", HIDDEN_URL],
    ["mqtt://hun?ter22%40broker", HIDDEN_URL],
    ["localhost:1883", "localhost:1883"], // without its scheme
    ["joe:hunter22@localhost:1883", "localhost:1883"],
    ["mqtt://joe:se", HIDDEN_URL], // a shell cut mqtt://joe:se&cret@broker
  ])("%s → %s", (text, printed) => expect(urlText(text)).toBe(printed));

  it("user and password come out of it as they were meant", () => {
    expect(splitUrl("mqtts://j%40e:a%2Fb%25@broker:8883")).toEqual({ bare: "mqtts://broker:8883", username: "j@e", password: "a/b%" });
    expect(splitUrl("mqtt://broker")).toEqual({ bare: "mqtt://broker" });
    expect(splitUrl("mqtt://joe:50%@broker")).toBeUndefined();
  });

  it("a JSON file that cannot be read is told by place, not by what it holds", () => {
    for (const text of ['{"password":hunter22}', '{"password":"hunter22",}', '"hunter22', "{'hunter22'}"]) {
      const thrown = (() => {
        try {
          return JSON.parse(text) as never;
        } catch (error) {
          return error;
        }
      })();
      expect(jsonFlaw(thrown)).toMatch(/^not valid JSON( at position \d+( \(line \d+ column \d+\))?)?$/);
    }
  });
});
