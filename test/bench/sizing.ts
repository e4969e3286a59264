import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { cpuMillis } from "../../host/cli/common/cpu-millis.ts";
import { checkAsk } from "../../host/cloud/ask-check.ts";
import { openTeacher } from "../../host/cloud/open-teacher.ts";
import { type CloudQuery, isTextQuery, type Provider } from "../../host/cloud/provider.ts";
import { syntheticContexts } from "../../host/cloud/synthetic-contexts.ts";
import { ConfigError } from "../../host/core/system/errors.ts";
import type { Output } from "../../host/core/system/output.ts";
import { createRandom } from "../../host/core/system/random.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { encodePayload, type Payload, SCHEMA_VERSION } from "../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../host/mqtt/wire/topics.ts";
import { median } from "./measure.ts";
import { type LoadResult, type ServiceCurve, serviceMillis, simulateWorker, sizeWorkers } from "./worker-queue.ts";

const BATCHES = [1, 2, 4, 8, 16, 32];
const ROUNDS = 9;
const SIMULATED_SECONDS = 120;

export interface SizingRequest {
  readonly agent: string;
  readonly devices: number;
  readonly asksPerDay: number;
  readonly peakFactor: number;
  readonly p99Millis: number;
  readonly reserve: number;
  /** A model server's time an ask instead of the teacher's, measured elsewhere. */
  readonly askMillis?: number;
}

/** How many workers a fleet needs: the teacher's time by batch size, measured here and now, and a queue simulated with it. */
export async function runSizing(io: CliIo, out: Output, request: SizingRequest) {
  const { service, codecMillis, askBytes } = await measureService(io, out, request);
  const meanAsksPerSecond = (request.devices * request.asksPerDay) / 86_400;
  const arrivalsPerSecond = meanAsksPerSecond * request.peakFactor;
  const common = { service, queueLimit: 512, seconds: SIMULATED_SECONDS };
  const limits = { arrivalsPerSecond, p99Millis: request.p99Millis, reserve: request.reserve };
  const batched = sizeWorkers({ ...common, ...limits, batchLimit: 32, random: seededRandom(1) });
  const single = sizeWorkers({ ...common, ...limits, batchLimit: 1, random: seededRandom(1) });
  const curve = [0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05].map((share) => {
    const perWorker = (share * 32_000) / serviceMillis(service, 32); // of what full batches allow
    const { utilisation, meanBatch, meanMillis, p50Millis, p99Millis, refusedShare } = simulateWorker({
      ...{ ...common, batchLimit: 32, arrivalsPerSecond: perWorker, random: seededRandom(2) },
    });
    return {
      share,
      asksPerSecond: round(perWorker),
      ...rounded({ utilisation, meanBatch, meanMillis, p50Millis, p99Millis, refusedShare }),
    };
  });
  return {
    ...{ devices: request.devices, asksPerDay: request.asksPerDay, peakFactor: request.peakFactor },
    ...rounded({ meanAsksPerSecond, peakAsksPerSecond: arrivalsPerSecond, codecMillis }),
    service: service.map(({ asks, millis }) => ({ asks, millis: round(millis) })),
    batched: { workers: batched.workers, ...rounded(without(batched)) },
    single: { workers: single.workers, ...rounded(without(single)) },
    oneWorker: curve,
    broker: {
      connections: request.devices,
      ...rounded({ publishesPerSecond: 2 * arrivalsPerSecond, mebibytesPerSecondIn: (arrivalsPerSecond * askBytes) / 2 ** 20 }),
      askBytes,
    },
  };
}

/** What the teacher takes by batch size, checking and encoding included; of an ask the codec alone, and its bytes. */
export async function measureService(io: CliIo, out: Output, request: Pick<SizingRequest, "agent" | "askMillis">) {
  const agent = await loadAgent(request.agent, io.cwd);
  const model = await openAgentModel(agent);
  if (agent.syntheticPath === undefined)
    throw new ConfigError("BENCH_NO_WEARER", `agent ${request.agent} has no synthetic wearer to ask about. Use activity.`);
  const contexts = syntheticContexts(model, agent.syntheticPath, BATCHES.at(-1)!);
  const { channels, patchFrames, windowPatches } = model.image;
  const head = { v: SCHEMA_VERSION, node: "sizing", wallMillis: io.clock.wall(), agent: agent.definition.name, tick: 0 } as const;
  const ask = (context: Int8Array): Payload<"ask"> => ({
    ...{ ...head, kind: "ask", imageHash: model.imageHash, labels: [...model.manifest.labels], patchBytes: channels * patchFrames },
    ...{ windowPatches, local: { label: 0, confidenceQ15: 9000, exit: 0 }, deadlineMillis: 30_000 },
    patches: new Uint8Array(context.buffer, context.byteOffset, context.byteLength),
  });
  const topics = buildTopics("bench", "sizing");
  const messages = contexts.map((context) => ({
    topic: topics.ask(agent.definition.name),
    payload: encodePayload(ask(context)),
    ...{ retain: false, correlationData: new Uint8Array(16), responseTopic: topics.answer, contentType: "application/cbor" },
  }));
  const queries: CloudQuery[] = [];
  const codec: number[] = [];
  for (let round = 0; round < 20; round++) {
    const before = cpuMillis();
    queries.length = 0;
    for (const message of messages) {
      const checked = checkAsk(message, io.clock.now());
      if (checked.ok && !isTextQuery(checked.query)) queries.push(checked.query);
      encodePayload({ ...head, kind: "answer", label: 0, confidence: 0.5, model: "teacher" });
    }
    codec.push((cpuMillis() - before) / messages.length);
  }
  const codecMillis = median(codec);
  const service: ServiceCurve =
    request.askMillis === undefined
      ? await timeProvider(out, await openTeacher(agent), queries, codecMillis)
      : BATCHES.map((asks) => ({ asks, millis: asks * request.askMillis! }));
  return { service, codecMillis, askBytes: messages[0]!.payload.length };
}

/** Median milliseconds of processor time of a batch of each size, sizes in turn, plus the codec's: what a core of its own would take. */
async function timeProvider(out: Output, provider: Provider, queries: readonly CloudQuery[], codecMillis: number): Promise<ServiceCurve> {
  for (const asks of BATCHES) await provider.answer(queries.slice(0, asks)); // opens and warms it
  const times = BATCHES.map((): number[] => []);
  for (let r = 0; r < ROUNDS; r++) {
    for (const [i, asks] of BATCHES.entries()) {
      const before = cpuMillis();
      await provider.answer(queries.slice(0, asks));
      times[i]!.push(cpuMillis() - before);
    }
  }
  await provider.close?.();
  const curve = BATCHES.map((asks, i) => ({ asks, millis: median(times[i]!) + asks * codecMillis }));
  out.note(`Measured, processor time: ${curve.map(({ asks, millis }) => `${asks} in ${round(millis)} ms`).join(", ")}.`);
  return curve;
}

/** Uniform numbers, the same in every run. */
const seededRandom = (seed: number) => createRandom(seed).uniform;

const round = (value: number) => Math.round(value * 1000) / 1000;
const rounded = <T extends Record<string, number>>(values: T) =>
  Object.fromEntries(Object.entries(values).map(([k, v]) => [k, round(v)])) as T;
const without = ({ workers: _, ...rest }: LoadResult & { readonly workers: number }) => rest;
