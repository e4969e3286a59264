import { type Command, Option } from "commander";
import { ConfigError } from "../../core/errors.ts";
import { type OffloadOptions, runOffload } from "../bench/offload.ts";
import { runSizing } from "../bench/sizing.ts";
import { runSoak } from "../bench/soak.ts";
import type { CliIo } from "../io.ts";
import { jsonOption, numberAtLeast, wholeNumber } from "../options.ts";
import { createOutput } from "../output.ts";
import { countText, figureText } from "../table.ts";

interface BenchOptions extends OffloadOptions {
  readonly json: boolean;
  readonly offload: boolean;
  readonly asks: number;
  readonly outstanding: number;
  readonly burst?: number;
  readonly soak?: number;
  readonly rate: number;
  readonly sizing: boolean;
  readonly asksPerDay: number;
  readonly peakFactor: number;
  readonly p99Millis: number;
  readonly reserve: number;
  readonly askMillis?: number;
}

/** `dormouse bench`: figures of this machine, with real processes. */
export function registerBench(program: Command, io: CliIo): void {
  program
    .command("bench")
    .description("Measure the way to the cloud and back: real devices' clients, a broker, worker processes; both ends' ledgers compared.")
    .addOption(new Option("--offload", "asks answered, lost, twice; latency and throughput").default(false).conflicts(["soak", "sizing"]))
    .option("--broker <url>", "an MQTT 5 broker; left out: the embedded one")
    .option("--agent <name>", "whose contexts are asked, and whose teacher answers", "activity")
    .option("--devices <n>", "each with its own client, outbox and ledger", wholeNumber(1, 1_000_000_000), 200)
    .option("--asks <n>", "asks in all", wholeNumber(1, 10_000_000), 20_000)
    .option("--outstanding <n>", "asks that a device keeps pending", wholeNumber(1, 4096), 1)
    .option("--burst <n>", "instead: so many asks at once from one device", wholeNumber(1, 8192))
    .addOption(
      new Option("--soak <minutes>", "instead: a steady rate for so long, and everybody's memory meanwhile")
        .argParser(numberAtLeast(0.05))
        .conflicts("sizing"),
    )
    .option("--rate <n>", "soak: asks a second in all", numberAtLeast(0.1), 100)
    .option("--sizing", "instead: how many workers --devices need, by the teacher's time on this machine and a simulated queue", false)
    .option("--asks-per-day <n>", "sizing: of each device", numberAtLeast(0.001), 40)
    .option("--peak-factor <n>", "sizing: the busiest hour against the mean", numberAtLeast(1), 3)
    .option("--p99-millis <n>", "sizing: in which 99 % are to be answered", numberAtLeast(1), 1000)
    .option("--reserve <n>", "sizing: percent of the workers that may be away at the peak", wholeNumber(0, 90), 30)
    .option("--ask-millis <n>", "sizing: a model server's time an ask, instead of the teacher's", numberAtLeast(0.001))
    .option("--workers <n>", "worker processes", wholeNumber(1, 256), 2)
    .option("--deadline-seconds <n>", "of each ask", numberAtLeast(0.1), 30)
    .addOption(
      new Option("--fsync <when>", "whether a device's outbox syncs each ask to the disk").choices(["asked", "none"]).default("none"),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExample:\n  $ dormouse bench --offload --broker mqtt://127.0.0.1:1883 --devices 200 --asks 20000 --workers 2 --json",
    )
    .action((options: BenchOptions) => bench(io, options));
}

async function bench(io: CliIo, options: BenchOptions): Promise<void> {
  const out = createOutput(io, options.json);
  if (options.soak !== undefined) return soak(io, options, options.soak);
  if (options.sizing) return sizing(io, options);
  if (!options.offload) throw new ConfigError("BENCH_WHAT", "nothing to measure was named. Say --offload, --soak 10 or --sizing.");
  const { burst } = options;
  const report = await runOffload(io, out, {
    ...options,
    ...(burst === undefined ? { isBurst: false } : { isBurst: true, asks: burst, devices: 1 }),
  });
  const { asked, answered, expired, refused, evicted, lost, duplicatesActedOn, p50Millis, p99Millis, asksPerSecond } = report;
  out.say(
    `${asked} asked: ${answered} answered, ${expired} expired, ${refused} refused, ${evicted} evicted; ${lost} lost, ${duplicatesActedOn} acted on twice.`,
  );
  out.say(`${asksPerSecond} asks a second; half within ${p50Millis} ms, 99 % within ${p99Millis} ms.`);
  out.document(report);
}

async function soak(io: CliIo, options: BenchOptions, minutes: number): Promise<void> {
  const out = createOutput(io, options.json);
  const report = await runSoak(io, out, { ...options, minutes, asksPerSecond: options.rate });
  for (const { process, firstMiB, lastMiB, slopeMiBPerMinute, isFlat } of report.memory) {
    out.say(
      `${process}: ${firstMiB} MiB after the warm-up, ${lastMiB} MiB at the end, ${slopeMiBPerMinute} MiB a minute: ${isFlat ? "flat" : "it grows"}.`,
    );
  }
  out.say(`${report.asked} asked, ${report.answered} answered, ${report.lost} lost.`);
  out.document(report);
}

async function sizing(io: CliIo, options: BenchOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const report = await runSizing(io, out, { ...options, reserve: options.reserve / 100 });
  const { batched, single, peakAsksPerSecond } = report;
  out.say(
    `${figureText(report.devices)} devices, ${figureText(report.asksPerDay)} asks a day each: ${figureText(peakAsksPerSecond)} asks a second at the peak.`,
  );
  out.say(
    `${countText(batched.workers, "worker")} like this machine's core ${batched.workers === 1 ? "answers" : "answer"} 99 % within ${figureText(batched.p99Millis)} ms; without batches it takes ${figureText(single.workers)}.`,
  );
  out.document(report);
}
