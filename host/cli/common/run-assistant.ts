import { join, resolve } from "node:path";
import type { Command } from "commander";
import { NODE_CONFIG_FILE, openNodeConfig } from "../../agent/node-config.ts";
import { type LoadedTextAgent, loadTextAgent } from "../../agent/registry.ts";
import { type Assistant, createAssistant } from "../../assistant/assistant.ts";
import type { AssistantAnswer, Share } from "../../assistant/assistant-types.ts";
import { forgetToday } from "../../assistant/forget-today.ts";
import { type NotedSensor, noteRecording, noteSensor } from "../../assistant/note-sensor.ts";
import { closeAll } from "../../core/system/close-all.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { DIARY_FOLDER } from "../../diary/day-folder.ts";
import { createDiaryReader, type DiaryReader } from "../../diary/diary-reader.ts";
import { createAsker } from "../../mqtt/asks/asker.ts";
import type { LedgerFile } from "../../mqtt/outbox/ledger-file.ts";
import { systemBattery } from "../../power/system-battery.ts";
import { type BrokerLinkOptions, readBroker, readIdentityOption } from "./broker-link.ts";
import { checkLedgers } from "./ledger-option.ts";
import { nodeAsker } from "./node-asker.ts";
import { refuseWith, refuseWithout } from "./options.ts";
import { sayAnswer } from "./say-answer.ts";

/** What `run` takes for an agent that reads texts. */
export interface AssistantRunOptions extends BrokerLinkOptions {
  readonly json: boolean;
  readonly text?: string;
  readonly askText: boolean;
  readonly share?: readonly Share[];
  readonly sensor: string;
  readonly broker?: string;
  readonly config?: string;
  readonly dataDir: string;
  readonly ledger?: string;
  readonly deadlineSeconds?: number;
  readonly speed: number;
  readonly seconds?: number;
}

/** Options of `run` that say something of a sensor's agent alone. */
const SENSOR_OPTIONS = [
  "--wearer",
  "--board",
  "--radio",
  "--headless",
  "--verbose",
  "--no-diary",
  "--metrics",
  "--otlp",
  "--log",
  "--engine",
  "--http",
];

/** `dormouse run assistant`: one question, or a prompt. */
export async function runAssistant(io: CliIo, name: string, options: AssistantRunOptions, command: Command): Promise<void> {
  refuseWith(command, `an agent that reads texts (${name})`, ...SENSOR_OPTIONS);
  const isSensorGiven = command.getOptionValueSource("sensor") === "cli";
  const isEndless = options.sensor.startsWith("synthetic") && options.seconds === undefined;
  if (!isSensorGiven) refuseWithout(command, "--sensor", "--speed", "--seconds");
  if (isSensorGiven && isEndless && options.text !== undefined)
    throw new ConfigError(
      "SENSOR_ENDLESS",
      "a synthetic wearer never ends: say with --seconds for how long, before the question is answered.",
    );
  const out = createOutput(io, options.json);
  const agent = await loadTextAgent(name, io.cwd);
  const { config, path, isNew } = openNodeConfig({ path: nodeConfigPath(options), cwd: io.cwd });
  if (isNew) out.note(`New node ${config.node}, kept in ${path}.`);
  const broker = readBroker(io, options, readIdentityOption(io, options), options.broker, config.broker);
  if (broker === undefined) refuseWithout(command, "--broker", "--ledger", "--deadline-seconds", "--insecure");
  const ledgers: LedgerFile[] = [];
  const model = await IntentModel.open(agent.modelPath);
  const dataDir = resolve(io.cwd, options.dataDir);
  const diaryFolder = join(dataDir, DIARY_FOLDER);
  const note = (line: string) => out.note(line);
  const sensing = {
    io,
    folder: diaryFolder,
    sensor: options.sensor,
    note,
    ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
  };
  const isLive = isSensorGiven && isEndless;
  if (isSensorGiven && !isLive) {
    const isPaced = command.getOptionValueSource("speed") === "cli";
    await noteRecording({ ...sensing, speed: isPaced ? options.speed : Number.POSITIVE_INFINITY });
  }
  const asker = broker && nodeAsker(io, note, options, { ...config, broker, model: model.imageHash });
  if (asker?.ledgerSink) ledgers.push(asker.ledgerSink);
  const reader = createDiaryReader(diaryFolder);
  let live: NotedSensor | undefined;
  const diary: DiaryReader = {
    read(wallMillis) {
      live?.save();
      return reader.read(wallMillis);
    },
  };
  diary.read(io.clock.wall()); // the files are parsed, and the model's code compiled, before the first question
  model.classify("how long");
  const assistant = createAssistant({
    policy: policyOf(agent, options),
    model,
    diary,
    clock: io.clock,
    connect: asker && ((events) => createAsker({ ...asker, clock: io.clock, events })),
    battery: systemBattery,
    forgetToday: () => {
      const left = forgetToday({
        dataDir,
        ledger: options.ledger && resolve(io.cwd, options.ledger),
        wallMillis: io.clock.wall(),
        ...(asker && { ...(asker && { own: config.node }) }),
      });
      if (left.length > 0) throw new ConfigError("NOT_FORGOTTEN", left.join(" "));
    },
    onAnswer: (answer, question) => sayAnswer(out, answer, question),
  });
  const stop = new AbortController();
  live = isLive
    ? noteSensor({
        ...sensing,
        speed: options.speed,
        signal: AbortSignal.any([io.interrupt, stop.signal]),
        onAlarm: (alarm) => assistant.fall(alarm),
      })
    : undefined;
  let document: object | undefined;
  await closeAll(
    async () => {
      document = options.text === undefined ? await prompt(io, out, assistant) : await once(io, out, assistant, options.text);
    },
    () => stop.abort(),
    () => live?.ended,
    () => assistant.close(),
  );
  out.document(document);
  checkLedgers(ledgers, note);
}

function nodeConfigPath({ config, identity }: AssistantRunOptions): string {
  return config ?? (identity === undefined ? NODE_CONFIG_FILE : join(identity, NODE_CONFIG_FILE));
}

function policyOf({ definition }: LoadedTextAgent, options: AssistantRunOptions) {
  const { asks } = definition;
  return {
    ...definition,
    asks: {
      text: asks.text || options.askText,
      share: options.share ?? asks.share,
      deadlineSeconds: options.deadlineSeconds ?? asks.deadlineSeconds,
    },
  };
}

/** One question; an interrupt leaves it in the outbox. */
async function once(io: CliIo, out: Output, assistant: Assistant, text: string): Promise<AssistantAnswer> {
  const asked = assistant.ask(text);
  const interrupted = new Promise<void>((done) => io.interrupt.addEventListener("abort", () => done(), { once: true }));
  await Promise.race([asked, interrupted.then(() => assistant.close())]); // which saves what waits
  const answer = await asked;
  sayAnswer(out, answer, "");
  return answer;
}

/** What ends the prompt, whatever the model makes of it. */
const ENDS = /^\s*(?:stop|exit|quit)\s*$/i;

/** A question per line, until the input ends, the wearer says stop or interrupts. */
async function prompt(io: CliIo, out: Output, assistant: Assistant) {
  const { lines } = io;
  if (lines === undefined) throw new ConfigError("TEXT_MISSING", 'there is no terminal to ask in: give the question with --text "…".');
  out.note("Ask, one question per line. End with stop or Ctrl-C.");
  const pending = new Set<Promise<void>>();
  for await (const line of lines(io.interrupt)) {
    if (line.trim() === "") continue;
    if (ENDS.test(line)) break;
    let isStopped = false;
    const asked = assistant.ask(line).then((answer) => {
      sayAnswer(out, answer, pending.size > 1 ? line : "");
      isStopped = answer.why === "local" && answer.intent === "stop";
    });
    pending.add(asked);
    void asked.then(() => pending.delete(asked));
    await new Promise<void>((resolve) => setImmediate(resolve)); // what the device answers comes before the next line
    if (isStopped) break;
  }
  if (!io.interrupt.aborted) await Promise.all(pending);
  return { answers: assistant.counts() };
}
