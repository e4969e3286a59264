import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { startBroker } from "../../../host/mqtt/transport/broker.ts";
import type { AskOutcome } from "../../../host/mqtt/wire/ask.ts";
import { query } from "../../support/query.ts";
import { until } from "../../support/until.ts";
import { startModelServer, streamed } from "../cloud/openai/fake-server.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-cloud-test-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function dormouse(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(packageRoot(), "dist/dormouse.js"), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => {
    said.stdout += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    said.stderr += text;
  });
  const done = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  return { child, said, done };
}

describe("dormouse cloud processes", () => {
  it("dormouse cloud --workers: a killed worker is started again, a signal ends all in order", async () => {
    const broker = await startBroker({ port: 0 });
    try {
      const run = dormouse(["cloud", "--broker", broker.url, "--workers", "2", "--json"]);
      const ready = () => run.said.stderr.split("reached: answering").length - 1;
      await until(() => ready() === 2, "both workers answer");
      const outcomes: AskOutcome[] = [];
      const edge = createAsker({
        broker: { url: broker.url },
        site: "lab",
        node: "wrist",
        events: { onOutcome: (one) => outcomes.push(one) },
      });
      for (let n = 0; n < 8; n++) edge.ask(query(n));
      await until(() => outcomes.length === 8, "all are told that the labels are another agent's");
      expect(new Set(outcomes.map(({ state, reason }) => `${state} ${reason?.split(":")[0]}`))).toEqual(new Set(["refused labels"]));
      const pid = Number(/worker 1: .*\(process (\d+)\)/.exec(run.said.stderr)?.[1]);
      process.kill(pid, "SIGKILL");
      await until(() => ready() === 3, "it is there again");
      expect(run.said.stderr).toMatch(/worker 1 ended by SIGKILL; started again in \d+ ms/);
      await edge.close();
      run.child.kill("SIGTERM");
      expect(await run.done).toBe(0);
      expect(JSON.parse(run.said.stdout)).toMatchObject({ workers: 2, restarts: 1, provider: "teacher" });
    } finally {
      await broker.close();
    }
  });

  it("dormouse cloud --provider openai: asks a server, answers with its label, says no key", async () => {
    const broker = await startBroker({ port: 0 });
    const server = await startModelServer();
    try {
      const run = dormouse(
        ["cloud", "--broker", broker.url, "--provider", "openai", "--base-url", server.baseUrl, "--model", "tiny", "--json"],
        { OPENAI_API_KEY: "sk-very-secret" },
      );
      await until(() => run.said.stderr.includes("reached: answering"), "it answers");
      const outcomes: AskOutcome[] = [];
      const edge = createAsker({
        broker: { url: broker.url },
        site: "lab",
        node: "wrist",
        events: { onOutcome: (one) => outcomes.push(one) },
      });
      edge.ask(query(1));
      await until(() => outcomes.length === 1, "the answer");
      expect(outcomes[0]).toMatchObject({ state: "answered", answer: { label: 1, confidence: 0.9, model: "openai:tiny" } });
      expect(server.heard[0]!.authorization).toBe("Bearer sk-very-secret");
      server.respond((response) => response.writeHead(404).end('{"error":{"message":"model \'tiny\' not found, key sk-very-secret"}}'));
      edge.ask(query(2));
      await until(() => outcomes.length === 2, "the refusal");
      const words = "the server says 404: model 'tiny' not found, key (key)";
      expect(outcomes[1]).toMatchObject({ state: "refused", reason: `provider: ${words}` });
      expect(run.said.stderr).toContain(`OPENAI_REJECTED: ${words}`);
      await edge.close();
      run.child.kill("SIGTERM");
      expect(await run.done).toBe(0);
      expect(JSON.parse(run.said.stdout)).toMatchObject({ provider: "openai:tiny", answered: 1, promptTokens: 200, completionTokens: 12 });
      expect(run.said.stdout + run.said.stderr).not.toContain("sk-very-secret");
    } finally {
      await server.close();
      await broker.close();
    }
  });

  it("dormouse cloud --workers: a restarted worker goes on with the budget that is left, and all end with a killed supervisor", async () => {
    const broker = await startBroker({ port: 0 });
    const server = await startModelServer();
    server.respond((response) => streamed(response, '{"label":"walk","confidence":0.9}', { prompt_tokens: 900, completion_tokens: 90 }));
    const pids: number[] = [];
    try {
      const run = dormouse([
        ...["cloud", "--broker", broker.url, "--provider", "openai", "--base-url", server.baseUrl, "--model", "tiny", "--json"],
        ...["--workers", "2", "--max-tokens", "400", "--max-tokens-total", "4000"], // 2000 per worker: a node may use half, one request reserves over 500
      ]);
      const ready = () => run.said.stderr.split("reached: answering").length - 1;
      const workers = () => [...run.said.stderr.matchAll(/\(process (\d+)\)/g)].map((match) => Number(match[1]));
      await until(() => ready() === 2, "both workers answer");
      const outcomes: AskOutcome[] = [];
      const edge = createAsker({
        broker: { url: broker.url },
        site: "lab",
        node: "wrist",
        events: { onOutcome: (one) => outcomes.push(one) },
      });
      const askTwenty = async () => {
        const before = outcomes.length;
        for (let n = 0; n < 20; n++) edge.ask(query(before + n));
        await until(() => outcomes.length === before + 20, "all have an end");
      };
      await askTwenty();
      expect(server.heard).toHaveLength(2);
      for (const pid of workers()) process.kill(pid, "SIGKILL");
      await until(() => ready() === 4, "both are there again");
      await askTwenty();
      expect(server.heard).toHaveLength(2);
      expect(new Set(outcomes.slice(20).map(({ reason }) => reason?.split(":")[0]))).toEqual(new Set(["budget"]));
      pids.push(...workers().slice(2));
      await edge.close();
      run.child.kill("SIGKILL");
      await until(() => !pids.some(isRunning), "the workers have ended");
    } finally {
      for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
      await server.close();
      await broker.close();
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
