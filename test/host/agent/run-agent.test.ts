import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { AgentDefinition } from "../../../host/agent/define-agent.ts";
import type { LoadedAgent } from "../../../host/agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../../../host/agent/registry.ts";
import { runAgent } from "../../../host/agent/run-agent.ts";
import { openSensor } from "../../../host/agent/sensors/open-sensor.ts";
import { runWearable } from "../../../host/cli/common/wearable.ts";
import { openTeacher } from "../../../host/cloud/open-teacher.ts";
import { systemClock } from "../../../host/core/system/clock.ts";
import { createOutput } from "../../../host/core/system/output.ts";
import { runGateway } from "../../../host/gateway/gateway.ts";
import { readGatewayConfig } from "../../../host/gateway/gateway-config.ts";
import { createServiceManager } from "../../../host/gateway/service-manager.ts";
import type { Connect } from "../../../host/mqtt/transport/connection.ts";
import { decodePayload } from "../../../host/mqtt/wire/payloads.ts";
import { policyFromCertificate } from "../../../host/policy/govern/policy-file.ts";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import { poweredBoard } from "../../../host/power/powered-board.ts";
import { createSimulatedCloud, type SimulatedCloud } from "../../../host/simulate/cloud.ts";
import { syntheticDay } from "../../../host/simulate/day.ts";
import { governedDay } from "../../../host/simulate/governed-day.ts";
import { runRecordings } from "../../../host/simulate/recordings-run.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { syntheticRecording } from "../../support/recording.ts";
import { fakeIo } from "../cli/fake-io.ts";
import { TREMBLING, tempFolder, writeAgent } from "../cli/temp-agent.ts";

const folder = tempFolder();
afterAll(() => folder.remove());
writeAgent(folder.path);
const trembler = await loadAgent(folder.path, folder.path); // is never sure: asks at every decision
const model = await openAgentModel(trembler);
const teacher = createSimulatedCloud(await openTeacher(trembler));
const SECONDS = 30;
const FRAMES = 50 * SECONDS;
const WINDOW_BYTES = model.image.windowPatches * model.image.patchFrames * model.image.channels;

/** What a run told: events by whether they are alarms, and the forms of its asks. */
interface Told {
  readonly alarms: readonly string[];
  readonly events: readonly string[];
  readonly forms: readonly string[];
}

/** A broker that takes everything and answers nothing. */
function listener() {
  const told = { alarms: [] as string[], events: [] as string[], forms: [] as string[] };
  const asked = new Set<string>(); // one that is sent again is the same
  const connect: Connect = ({ onState }) => ({
    state: "online",
    open: () => onState("online"),
    publish: async (_, payload, more) => {
      const id = Buffer.from(more?.correlationData ?? []).toString("hex");
      const read = decodePayload(["ask", "event"], payload);
      if (read.ok && read.value.kind === "ask" && !asked.has(id)) told.forms.push(read.value.form ?? "features");
      if (read.ok && read.value.kind === "event") (read.value.isAlarm ? told.alarms : told.events).push(String(read.value.data.label));
      asked.add(id);
      return { ok: true };
    },
    flush: async () => {},
    close: async () => {},
    effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
  });
  return { told, connect };
}

/** `run` and `demo`: runWearable. */
async function inRun(agent: LoadedAgent): Promise<Told> {
  const { told, connect } = listener();
  const { io } = fakeIo();
  const wearable = runWearable(io, createOutput(io, true), {
    agent,
    model,
    sensor: openSensor("synthetic:1", agent),
    pace: { speed: Number.POSITIVE_INFINITY, seconds: SECONDS },
    node: "bench",
    show: { isHeadless: true, isVerbose: false },
    drainMillis: 0,
    asker: { broker: { url: "mqtt://127.0.0.1" }, site: "home", node: "wrist-1", connect },
  });
  await wearable.ended;
  await wearable.close();
  return told;
}

let services = 0;

/** The gateway: runGateway. */
async function inGateway(agent: LoadedAgent): Promise<Told> {
  const { told, connect } = listener();
  const clock = new ManualClock();
  const at = join(folder.path, `service-${services++}`);
  mkdirSync(at);
  for (const file of ["model.dmm", "synthetic.json"]) cpSync(join(folder.path, file), join(at, file));
  writeFileSync(join(at, "agent.json"), JSON.stringify(agent.definition));
  const config = join(at, "config.json");
  writeFileSync(config, JSON.stringify({ sensor: "synthetic:1", node: "gw-1", broker: { url: "mqtt://127.0.0.1" } }), { mode: 0o600 });
  const stop = new AbortController();
  let isReady = false;
  const ended = runGateway({
    config: readGatewayConfig(config),
    agentsFolder: folder.path,
    cwd: at,
    defaultAgent: basename(at),
    stateFolder: join(at, "state"),
    version: "test",
    clock,
    manager: createServiceManager({}, () => undefined),
    say: (line) => {
      isReady ||= line.startsWith("gw-1: agent ");
    },
    signal: stop.signal,
    connect,
  });
  while (!isReady) await new Promise(setImmediate);
  for (let millis = 0; millis < SECONDS * 1000 + 1000; millis += 100) {
    clock.advance(100);
    await new Promise(setImmediate);
  }
  stop.abort();
  await ended;
  return told;
}

/** A cloud that notes the form of every ask. */
function listeningCloud() {
  const forms: string[] = [];
  const answer: SimulatedCloud["answer"] = (query) => {
    forms.push(query.form ?? "features");
    return teacher.answer(query);
  };
  return { forms, cloud: { ...teacher, answer } };
}

async function inDay(agent: LoadedAgent) {
  const { forms, cloud } = listeningCloud();
  const board = poweredBoard(loadBoard("smart-glasses"));
  const radio = loadRadio(board, "wifi");
  const day = await governedDay({
    definition: agent.definition,
    model,
    board,
    radioKind: "wifi",
    radio,
    cloud,
    day: syntheticDay({ parameters: TREMBLING, labels: model.manifest.labels, hours: SECONDS / 3600, seed: 1 }),
    trace: [{ fromSeconds: 0, isUp: true, rttMillis: 50, loss: 0 }],
    policy: policyFromCertificate(model),
    seed: 1,
    ambientCelsius: () => 22,
    stateOfCharge: 1,
    targetSeconds: 3600,
    privacyBytesPerDay: agent.definition.asks.privacyBytesPerDay ?? 4_194_304,
    reportSeconds: 600,
  });
  return { forms, alarms: day.alarms, events: day.counters.events - day.alarms, bytes: day.rawBytes };
}

/** `eval --cascade` and `--adapt`, as shipped: runRecordings. */
async function inEval(agent: LoadedAgent) {
  const { forms, cloud } = listeningCloud();
  const labels = Object.keys(TREMBLING.wearers[0]!);
  const recordings = [syntheticRecording(TREMBLING, labels, { seed: 1, frames: FRAMES })];
  const { alarms, counters, sensorBytes } = await runRecordings({ definition: agent.definition, model, recordings, cloud });
  return { forms, alarms, events: counters.events - alarms, bytes: sensorBytes };
}

function agentWith(over: Partial<AgentDefinition>, asks: Partial<AgentDefinition["asks"]> = {}): LoadedAgent {
  const { definition } = trembler;
  return { ...trembler, definition: { ...definition, ...over, asks: { ...definition.asks, ...asks } } };
}

describe("what an agent declares", () => {
  it("is an alarm → told as one by run and gateway, raised in a simulated day and by eval, and no other label is", async () => {
    const { events } = await inRun(trembler);
    const alarm = events[0]!;
    const agent = agentWith({ alarm });
    for (const told of [await inRun(agent), await inGateway(agent)]) {
      expect(new Set(told.alarms)).toEqual(new Set([alarm]));
      expect(told.events).not.toContain(alarm);
    }
    for (const where of [inDay, inEval]) {
      expect((await where(trembler)).alarms).toBe(0);
      expect((await where(agent)).alarms).toBeGreaterThan(0);
    }
  });

  it.each(["raw", "activations", "features"] as const)(
    "is %s as the only input of asks → no other form is asked, anywhere",
    async (form) => {
      const agent = agentWith({}, { inputs: [{ form, worth: 1 }] });
      for (const where of [inRun, inGateway, inDay, inEval])
        expect([where.name, ...new Set((await where(agent)).forms)]).toEqual([where.name, form]);
    },
  );

  it("is what asks may give away per hour → two windows and no more, everywhere", async () => {
    const agent = agentWith({}, { privacyBitsAnHour: 8 * 2 * WINDOW_BYTES });
    for (const where of [inRun, inGateway, inDay, inEval]) {
      const told = await where(agent);
      expect([where.name, told.forms.length]).toEqual([where.name, 2]);
    }
    for (const where of [inDay, inEval]) expect((await where(agent)).bytes).toBeLessThanOrEqual(2 * WINDOW_BYTES);
  });

  it("is what asks may give away per day → a window and no more; a governed day keeps it for later asks and audits", async () => {
    const agent = agentWith({}, { privacyBytesPerDay: WINDOW_BYTES });
    for (const where of [inRun, inGateway, inEval]) expect([where.name, (await where(agent)).forms.length]).toEqual([where.name, 1]);
    expect((await inDay(agent)).forms).toEqual([]);
    const most = (await inDay(trembler)).bytes;
    const generous = await inDay(agentWith({}, { privacyBytesPerDay: 24 * 9 * WINDOW_BYTES }));
    expect(generous.bytes).toBeGreaterThan(0);
    expect(generous.bytes).toBeLessThanOrEqual(9 * WINDOW_BYTES * 1.1);
    expect(most).toBeGreaterThan(generous.bytes);
  });
});

it("there is one composition: createLoop has one caller", () => {
  const host = join(import.meta.dirname, "../../../host");
  const callers = readdirSync(host, { recursive: true, encoding: "utf8" }).filter(
    (file) =>
      file.endsWith(".ts") && /[^.\w]createLoop\(/.test(readFileSync(join(host, file), "utf8").replace(/function createLoop\(/, "")),
  );
  expect(callers).toEqual(["agent/run-agent.ts"]);
});

it("an observer of the link throws, outside of the loop's own steps → the run fails with it", async () => {
  const { connect } = listener();
  const run = runAgent({
    definition: trembler.definition,
    model,
    sensor: openSensor("synthetic:1", trembler),
    clock: systemClock,
    pace: { speed: 50, seconds: 20 },
    asker: { broker: { url: "mqtt://127.0.0.1" }, site: "home", node: "wrist-1", connect },
    observers: {
      step: ({ kind }) => {
        if (kind === "link") throw new Error("boom");
      },
    },
  });
  await expect(run.ended).rejects.toThrow("boom");
  await run.close();
});
