import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createLog, type LogLevel } from "../../../host/telemetry/log.ts";

function written(level: LogLevel = "info") {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line), wall: () => 0, level, fields: { node: "wrist-1" } });
  return { log, lines };
}

describe("the JSON log", () => {
  it("writes one object a line, with time, level, message and fields", () => {
    const { log, lines } = written();
    log.write("info", "outcome\nof an ask", { ask: "ab", latencyMillis: 12, reason: undefined });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.endsWith("}\n")).toBe(true);
    expect(lines[0]!.indexOf("\n")).toBe(lines[0]!.length - 1);
    expect(JSON.parse(lines[0]!)).toEqual({
      ...{ time: "1970-01-01T00:00:00.000Z", level: "info", message: "outcome\nof an ask", node: "wrist-1", ask: "ab", latencyMillis: 12 },
    });
  });

  it("leaves out what is less urgent than its level", () => {
    const { log, lines } = written("warn");
    for (const level of ["debug", "info", "warn", "error"] as const) log.write(level, level);
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(["warn", "error"]);
  });

  it("takes secrets out: keys, passwords in URLs, authorization headers, fields named like secrets, bytes", () => {
    const { log, lines } = written();
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const base64 = pem.split("\n")[1]!;
    log.write("error", `cannot read ${pem}`, {
      url: "mqtts://joe:hunter22@broker:8883/x",
      header: "Bearer abcdefghijkl",
      password: "hunter22",
      nested: [{ apiKey: "sk-hunter22" }, { deep: { client: { secret: "hunter22" } } }],
      key: base64,
      promptTokens: 12,
      error: new Error(`401 for ${pem}`),
      bytes: Buffer.from(base64),
    });
    expect(lines[0]).not.toContain("hunter22");
    expect(lines[0]).not.toContain(base64);
    expect(lines[0]).not.toContain("abcdefghijkl");
    expect(JSON.parse(lines[0]!)).toMatchObject({ url: "mqtts://…@broker:8883/x", promptTokens: 12, bytes: "64 B" });
  });

  it("bounds a line, whatever it is given", () => {
    const { log, lines } = written();
    const deep: Record<string, unknown> = {};
    deep.self = deep;
    log.write("info", "x".repeat(1_000_000), { deep, list: new Array(10_000).fill("y") });
    expect(lines[0]!.length).toBeLessThan(10_000);
  });
});
