import { resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { jsonOption, numberAtLeast, wholeNumber } from "../../host/cli/common/options.ts";
import { createOutput, reportFailure } from "../../host/core/system/output.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { countText, numberText, percentText, table } from "../../host/core/system/table.ts";
import { radioKinds } from "../../host/power/board-power.ts";
import { benchCompute } from "./compute.ts";
import { benchDays, type DaysRequest } from "./days.ts";
import { benchFairness } from "./fairness.ts";
import { benchGateway } from "./gateway.ts";
import { benchIntents } from "./intents.ts";
import { benchLanguage } from "./language.ts";
import { type OffloadOptions, runOffload } from "./offload.ts";
import { writeOwnData } from "./own-data.ts";
import { benchPage } from "./page.ts";
import { benchCExport } from "./peers/c-export.ts";
import { benchScaling, type ScalingRequest } from "./scaling/command.ts";
import { benchShortScan, type ScanAccuracy } from "./short-scan.ts";
import { runSizing, type SizingRequest } from "./sizing.ts";
import { runSoak } from "./soak.ts";
import { benchStart } from "./start/start.ts";

interface StageOptions extends OffloadOptions {
  readonly json: boolean;
}

/** `npm run bench -- …`. Offload, burst and soak run real clients, a broker and worker processes. */
export function createBench(io: CliIo): Command {
  const bench = new Command("bench").description("Measure this machine.");
  bench
    .command("compute", { isDefault: true })
    .description("Time kernels, steps, windows and batches.")
    .option("--save", "append the rows to test/bench/results.csv", false)
    .addOption(jsonOption())
    .action((options: { readonly save: boolean; readonly json: boolean }) => benchCompute(options));
  bench
    .command("fairness [scenes...]")
    .description("Measure what one peer costs the others; a scene is named by a word of it.")
    .action((scenes: readonly string[]) => benchFairness(scenes));
  withStageOptions(bench.command("offload"))
    .description("Ask from many devices and compare the ledgers of both ends; latency and throughput.")
    .option("--asks <n>", "asks in all", wholeNumber(1, 10_000_000), 20_000)
    .option("--outstanding <n>", "asks that a device keeps pending", wholeNumber(1, 4096), 1)
    .action((options: StageOptions & { readonly asks: number; readonly outstanding: number }) =>
      offload(io, options, { asks: options.asks, outstanding: options.outstanding, isBurst: false }),
    );
  withStageOptions(bench.command("burst"))
    .argument("<asks>", "asks at once from one device", wholeNumber(1, 8192))
    .description("Ask many times at once from one device.")
    .action((asks: number, options: StageOptions) => offload(io, { ...options, devices: 1 }, { asks, outstanding: 1, isBurst: true }));
  withStageOptions(bench.command("soak"))
    .argument("<minutes>", "duration", numberAtLeast(0.05))
    .description("Ask at a steady rate and watch the memory of every process (Linux).")
    .option("--rate <n>", "asks per second in all", numberAtLeast(0.1), 100)
    .action((minutes: number, options: StageOptions & { readonly rate: number }) => soak(io, options, minutes, options.rate));
  withAgent(bench.command("sizing"))
    .description("Compute how many workers a fleet needs from the teacher's time on this machine and a simulated queue.")
    .option("--devices <n>", "devices in the fleet", wholeNumber(1, 1_000_000_000), 200)
    .option("--asks-per-day <n>", "asks per day and device", numberAtLeast(0.001), 40)
    .option("--peak-factor <n>", "busiest hour over the mean", numberAtLeast(1), 3)
    .option("--p99-millis <n>", "time within which 99 % must be answered", numberAtLeast(1), 1000)
    .option("--reserve <n>", "percent of the workers that may be missing at the peak", wholeNumber(0, 90), 30)
    .option("--ask-millis <n>", "a model server's time per ask, instead of the teacher's", numberAtLeast(0.001))
    .action((options: SizingRequest & { readonly json: boolean }) => sizing(io, { ...options, reserve: options.reserve / 100 }));
  withAgent(bench.command("short-scan"))
    .description("Compare accuracy with an int32 and a simulated int16 scan state, on recordings.")
    .requiredOption("--data <dir>", "the agent's recordings")
    .action(async ({ agent, data, json }: { readonly agent: string; readonly data: string; readonly json: boolean }) => {
      const out = createOutput(io, json);
      const report = await benchShortScan(io.cwd, agent, data);
      const said = ({ window, stream }: ScanAccuracy) => `${percentText(window, 2)} of windows, ${percentText(stream, 2)} of streams`;
      out.say(`int32: ${said(report.int32)}; int16: ${said(report.int16)}.`);
      out.document(report);
    });
  bench
    .command("days")
    .description("Simulate a day over each radio, against the baselines that never ask and tell the same.")
    .option("--agent <name>", "run this agent", "activity")
    .option("--board <id>", "simulate this board", "nrf52840-dk")
    .addOption(new Option("--radio <kind>", "over this radio alone").choices(radioKinds))
    .option("--hours <n>", "simulate this many hours", numberAtLeast(0.1), 24)
    .option("--seed <n>", "seed of the day and its network", wholeNumber(0), 1)
    .option("--report-seconds <n>", "report at this interval (default: set by the agent)", wholeNumber(10))
    .option("--data <dir>", "build the days from the calibrate wearers' recordings (default: the synthetic wearer)")
    .addOption(jsonOption())
    .action((options: DaysRequest & { readonly json: boolean }) => days(io, options));
  bench
    .command("language")
    .description("Compare the language core with the same decoder as float32 C, token by token (needs gcc).")
    .requiredOption("--checkpoint <file>", "a llama2.c checkpoint")
    .requiredOption("--tokenizer <file>", "its tokenizer")
    .addOption(jsonOption())
    .action(({ checkpoint, tokenizer, json }: { readonly checkpoint: string; readonly tokenizer: string; readonly json: boolean }) => {
      const out = createOutput(io, json);
      const speeds = benchLanguage(checkpoint, tokenizer);
      for (const { name, at8, at256, at512 } of speeds)
        out.say(`${name}: ${at8.toFixed(1)} µs per token over 8 tokens, ${at256.toFixed(1)} over 256, ${at512.toFixed(1)} over 512.`);
      out.document({ speeds });
    });
  bench
    .command("c-export")
    .description("Compare a window of the C export with the same net in plain float C (needs gcc).")
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json: boolean }) => {
      const out = createOutput(io, json);
      const report = await benchCExport();
      for (const { name, micros, ratio } of report.times)
        out.say(`${name}: ${micros.toFixed(0)} µs per window, ${ratio.toFixed(2)} × plain float C -O3.`);
      out.say(
        `Half the logits lie within ${report.logitDistance.toFixed(0)} of the float net's; ${percentText(report.sameLabel, 0)} of the labels are the same.`,
      );
      out.document(report);
    });
  bench
    .command("scaling")
    .description("Measure what each size costs, and the kernels under this machine's roofs.")
    .option("--save", "write test/bench/results/scaling.json and its pictures", false)
    .option("--draw", "measure nothing: draw the pictures from that file", false)
    .addOption(jsonOption())
    .action((options: ScalingRequest) => benchScaling(io, options));
  bench
    .command("own-data")
    .argument("<set>", "gas, beats, half-hour, hapt or sisfall")
    .argument("<dir>", "write to this folder")
    .description("Write recordings as CSV, as people bring them to train.")
    .option("--data <dir>", "the folder of HAPT or SisFall")
    .action((set: string, dir: string, { data }: { readonly data?: string }) => writeOwnData(set, resolve(io.cwd, dir), data));
  bench
    .command("start")
    .description("Measure the CPU time from a process's start to a first decision, and of the command's shortest verbs.")
    .option("--rounds <n>", "how often each is started, in turn", wholeNumber(1, 1000), 15)
    .addOption(jsonOption())
    .action(({ rounds, json }: { readonly rounds: number; readonly json: boolean }) => {
      const out = createOutput(io, json);
      const starts = benchStart(rounds);
      const rows = starts.map(({ name, cpuMillis, peakMiB, against, ratio }) => [
        name,
        cpuMillis.toFixed(0),
        peakMiB.toFixed(0),
        `${ratio.toFixed(2)} × ${against}`,
      ]);
      for (const line of table(["start", "CPU ms", "peak MiB", "ratio"], rows)) out.say(line);
      out.document({ starts });
    });
  bench
    .command("gateway")
    .description(
      "Pass on devices that decide themselves through one gateway and mosquitto, once per second each (Linux). Memory is flat if its floor, after 30 % of the time to warm up, rises at most 5 %.",
    )
    .option("--devices <n>", "devices, each over TCP", wholeNumber(1, 1000), 200)
    .option("--minutes <n>", "duration", numberAtLeast(0.1), 0.5)
    .addOption(jsonOption())
    .action(async (options: { readonly devices: number; readonly minutes: number; readonly json: boolean }) => {
      const out = createOutput(io, options.json);
      const report = await benchGateway(io, out, options);
      const { devices, listed, awake, cpuOfACore, statesPerSecond, telemetryPerSecond, memory } = report;
      out.say(`${devices} devices: ${listed} listed, ${awake} awake; ${percentText(cpuOfACore, 1)} of a core.`);
      out.say(`${statesPerSecond.toFixed(0)} states and ${telemetryPerSecond.toFixed(0)} telemetry messages per second.`);
      const { firstMiB, lastMiB, isFlat } = memory;
      out.say(`At least ${firstMiB} MiB after the warm-up, ${lastMiB} MiB at the end: ${isFlat ? "flat" : "it grows"}.`);
      out.document(report);
    });
  bench
    .command("page")
    .description("Time the demo's page and a table of nodes in Chromium.")
    .option("--nodes <n>", "nodes that all change once per second", wholeNumber(1, 2000), 200)
    .action(({ nodes }: { readonly nodes: number }) => benchPage(io, nodes));
  bench
    .command("intents")
    .description("Train the head of cloud --provider intents and score it on CLINC150's test queries.")
    .requiredOption("--data <dir>", "the folder of CLINC150, or its parent")
    .option("--save", "write agents/assistant/cloud-head.json", false)
    .addOption(jsonOption())
    .action(async ({ data, save, json }: { readonly data: string; readonly save: boolean; readonly json: boolean }) => {
      const out = createOutput(io, json);
      const report = await benchIntents(out, data, save);
      out.say(
        `${percentText(report.inScope, 2)} right; sure of ${percentText(report.sure, 2)}, ${percentText(report.sureRight, 2)} of them right.`,
      );
      out.document(report);
    });
  for (const command of [bench, ...bench.commands]) {
    command.configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) }).exitOverride();
  }
  return bench;
}

/** Runs one command line and returns the exit code. Never throws. */
export async function runBench(args: readonly string[], io: CliIo): Promise<number> {
  try {
    await createBench(io).parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    return error instanceof CommanderError ? error.exitCode : reportFailure(io, error, args.includes("--json"));
  }
}

function withAgent(command: Command): Command {
  return command.option("--agent <name>", "agent whose contexts are asked and whose teacher answers", "activity").addOption(jsonOption());
}

function withStageOptions(command: Command): Command {
  return withAgent(command)
    .option("--broker <url>", "an MQTT 5 broker (default: the embedded one)")
    .option("--devices <n>", "devices, each with its own client, outbox and ledger", wholeNumber(1, 1_000_000), 200)
    .option("--workers <n>", "worker processes", wholeNumber(1, 256), 2)
    .option("--deadline-seconds <n>", "deadline of each ask", numberAtLeast(0.1), 30)
    .addOption(new Option("--fsync <when>", "whether a device's outbox syncs each ask to disk").choices(["asked", "none"]).default("none"));
}

async function offload(
  io: CliIo,
  options: StageOptions,
  load: { readonly asks: number; readonly outstanding: number; readonly isBurst: boolean },
): Promise<void> {
  const out = createOutput(io, options.json);
  const report = await runOffload(io, out, { ...options, ...load });
  const { asked, answered, expired, refused, evicted, lost, duplicatesActedOn, p50Millis, p99Millis, asksPerSecond } = report;
  out.say(
    `${asked} asked: ${answered} answered, ${expired} expired, ${refused} refused, ${evicted} evicted; ${lost} lost, ${duplicatesActedOn} acted on twice.`,
  );
  out.say(`${asksPerSecond} asks per second; half within ${p50Millis} ms, 99 % within ${p99Millis} ms.`);
  out.document(report);
}

async function soak(io: CliIo, options: StageOptions, minutes: number, asksPerSecond: number): Promise<void> {
  const out = createOutput(io, options.json);
  const report = await runSoak(io, out, { ...options, minutes, asksPerSecond });
  for (const { process, firstMiB, lastMiB, slopeMiBPerMinute, isFlat } of report.memory) {
    out.say(
      `${process}: ${firstMiB} MiB after the warm-up, ${lastMiB} MiB at the end, ${slopeMiBPerMinute} MiB per minute: ${isFlat ? "flat" : "it grows"}.`,
    );
  }
  out.say(`${report.asked} asked, ${report.answered} answered, ${report.lost} lost.`);
  out.document(report);
}

async function days(io: CliIo, request: DaysRequest & { readonly json: boolean }): Promise<void> {
  const out = createOutput(io, request.json);
  const rows = await benchDays(io.cwd, out, request);
  const head = ["", "right", "best that never asks", "total J", "its", "radio J", "battery h", "audits", "as good"];
  const cells = rows.map(({ source, radio, governed, isAsGood, ...row }) => {
    const best = row[row.best];
    return [
      `${source} over ${radio}`,
      percentText(governed.accuracy, 2),
      `${percentText(best.accuracy, 2)} (${row.best})`,
      ...[governed.joules, best.joules, governed.radioJoules].map((joules) => numberText(joules, 1)),
      numberText(governed.batteryLifeHours),
      `${governed.audits}`,
      isAsGood ? "yes" : "no",
    ];
  });
  for (const line of table(head, cells)) out.say(line);
  out.document({ days: rows });
}

async function sizing(io: CliIo, request: SizingRequest & { readonly json: boolean }): Promise<void> {
  const out = createOutput(io, request.json);
  const report = await runSizing(io, out, request);
  const { batched, single, peakAsksPerSecond } = report;
  out.say(
    `${figureText(report.devices)} devices, ${figureText(report.asksPerDay)} asks per day each: ${figureText(peakAsksPerSecond)} asks per second at the peak.`,
  );
  out.say(
    `${countText(batched.workers, "worker")} like this machine's core ${batched.workers === 1 ? "answers" : "answer"} 99 % within ${figureText(batched.p99Millis)} ms; without batches it takes ${figureText(single.workers)}.`,
  );
  out.document(report);
}

/** A measured number for people: 12,345, 27.3, 0.926. */
function figureText(value: number): string {
  return value.toLocaleString("en", Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
