import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import type { View } from "../../agent/run-view.ts";
import { openSensor } from "../../agent/sensors/open-sensor.ts";
import { createFactReader } from "../../cloud/fact-reader.ts";
import { openTeacher } from "../../cloud/open-teacher.ts";
import { startWorker } from "../../cloud/worker.ts";
import { closeAll } from "../../core/system/close-all.ts";
import type { ListenAddress } from "../../core/system/listen-address.ts";
import { createOutput } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { openDiary } from "../../diary/diary.ts";
import { compareLedgers } from "../../mqtt/outbox/ledger.ts";
import { loadBoard } from "../../power/board.ts";
import type { RadioKind } from "../../power/board-power.ts";
import { startSwitchedBroker } from "../common/demo-broker.ts";
import { createDemoAssistant } from "../common/demo-questions.ts";
import { boardOption, jsonOption, radioOption, secondsOption, speedOption, wholeNumber } from "../common/options.ts";
import { openPage, type PageOptions, withPage } from "../common/page-option.ts";
import { sayAnswer } from "../common/say-answer.ts";
import { buildSummary, saySummary } from "../common/summary.ts";
import { runWearable } from "../common/wearable.ts";

/** A wearer on this desk: an outage that somebody has just ended is over within seconds. */
const BACKOFF = { firstMillis: 300, maxMillis: 3000 };

/** The worker subscribes within milliseconds on loopback; asks sent before would wait for a retry. */
const READY_MILLIS = 5000;

interface DemoOptions extends PageOptions {
  readonly json: boolean;
  readonly headless: boolean;
  readonly verbose: boolean;
  readonly seconds?: number;
  readonly speed: number;
  readonly seed: number;
  readonly agent: string;
  readonly board: string;
  readonly radio: RadioKind;
}

/** `dormouse demo`: broker, cloud worker and one wearable in this process. */
export function registerDemo(program: Command, io: CliIo): void {
  withPage(program.command("demo"), true)
    .description("Run a broker, a cloud worker and a synthetic wearer in this terminal, and show them as a page.")
    .option("--headless", "print log lines instead of the live view", false)
    .option("--verbose", "log every decision with its reason", false)
    .addOption(secondsOption())
    .addOption(speedOption())
    .option("--seed <n>", "choose the synthetic wearer and their day", wholeNumber(0), 3)
    .option("--agent <name>", "run this agent; the wearer of fall falls, and lies down on purpose", "activity")
    .addOption(boardOption().default("nrf52840-dk"))
    .addOption(radioOption().default("ble"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse demo\n  $ dormouse demo --http 8080 --speed 5\n  $ dormouse demo --agent fall --headless --seconds 76\n  $ dormouse demo --headless --seconds 120 --speed 10 --seed 1 --json",
    )
    .action((options: DemoOptions) => demo(io, options));
}

async function demo(io: CliIo, options: DemoOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const agent = await loadAgent(options.agent, io.cwd);
  const { definition } = agent;
  const { name, alarm } = definition;
  const model = await openAgentModel(agent);
  const provider = await openTeacher(agent);
  const sensor = openSensor(`synthetic:${options.seed}`, agent, io.cwd);
  const broker = await startSwitchedBroker();
  let show: View | undefined;
  const worker = startWorker({
    broker: { url: broker.url },
    provider: { ...provider, ...createFactReader() },
    clock: io.clock,
    backoff: BACKOFF,
    onAnomaly: (error) => show?.onStep({ kind: "anomaly", error }),
  });
  const folder = mkdtempSync(join(tmpdir(), "dormouse-demo-"));
  try {
    const node = `demo-${randomBytes(3).toString("hex")}`;
    const diary = openDiary({ folder, agent: name, alarm, clock: io.clock });
    const assistant = createDemoAssistant({ diaryFolder: folder, brokerUrl: broker.url, node: `${node}-assistant`, clock: io.clock });
    const page = await openPage(io, out, pageAddress(io, options), {
      speed: options.speed,
      tools: {
        broker,
        ...(assistant && {
          answer(question: string) {
            diary.save();
            return assistant.ask(question);
          },
        }),
      },
    });
    if (!(await worker.ready(READY_MILLIS))) out.note("The cloud worker is not ready yet: the first asks will wait for it.");
    const wearable = runWearable(io, out, {
      agent,
      model,
      sensor,
      pace: { speed: options.speed, ...(options.seconds === undefined ? {} : { seconds: options.seconds }) },
      live: { board: loadBoard(options.board), radio: options.radio, isAskingAlways: true }, // to show the way there and back
      show: { isHeadless: options.headless, isVerbose: options.verbose },
      asker: { broker: { url: broker.url }, site: "home", node, backoff: BACKOFF },
      diary,
      node,
      ...(page && { page }),
    });
    const { loop, view } = wearable;
    show = view;
    const summarize = () => {
      const { lost } = compareLedgers(loop.asker!.ledger(), worker.ledger());
      const power = wearable.governor?.status();
      const asks = definition.suspicion === undefined ? "every unsure decision" : "every suspicion";
      return { ...buildSummary(definition.name, loop, definition.sensor.rateHz, lost), asks, board: options.board, power };
    };
    let summary: ReturnType<typeof summarize> | undefined;
    await closeAll(
      () => wearable.ended,
      () => view.close(),
      () => {
        summary = summarize(); // before the close evicts what is pending
      },
      () => wearable.close(),
      () => diary.close(),
    );
    saySummary(out, summary!, true);
    out.say("The ledgers of both ends were compared.");
    if (definition.suspicion === undefined)
      out.say("The demo asks about every unsure decision, to show it. run --board asks only where asking was measured to help.");
    const answers = (await assistant?.askExamples(alarm === "fall")) ?? [];
    for (const { question, ...answer } of answers) sayAnswer(out, answer, question);
    out.document({ ...summary!, ...(answers.length > 0 && { answers }) });
    await closeAll(
      () => assistant?.close(),
      () => page?.close(),
    );
  } finally {
    await closeAll(
      () => worker.close(),
      () => broker.close(),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  }
}

/** A page is shown unless nobody looks: with --headless or --json only if --http asks for it. */
function pageAddress({ terminal }: CliIo, { http, headless, json }: DemoOptions): ListenAddress | undefined {
  if (http !== undefined) return http || undefined;
  return headless || json || terminal === undefined ? undefined : { host: "127.0.0.1", port: 0 };
}
