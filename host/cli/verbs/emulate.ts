import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { loadAgent, openAgentModel, readsText } from "../../agent/registry.ts";
import type { Model } from "../../core/session/model.ts";
import { ConfigError, DataError } from "../../core/system/errors.ts";
import { createOutput } from "../../core/system/output.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { countText } from "../../core/system/table.ts";
import { openRecordings } from "../../data/open-recordings.ts";
import { countWindowFrames, scoredWindows, selectRecordings } from "../../data/recording.ts";
import type { MemoryVariant } from "../../firmware/c/compile.ts";
import { emulate, fullDepth, type PlacedFrames } from "../../firmware/emulate/emulate.ts";
import { findEmulator } from "../../firmware/emulate/start-board.ts";
import type { KernelChoice } from "../../firmware/mcu/build-options.ts";
import { loadTarget } from "../../firmware/mcu/target.ts";
import { decodeSensor } from "../../link/sensor.ts";
import { readLinkStream } from "../../link/stream.ts";
import { emulateLanguageModel } from "../common/emulate-language-model.ts";
import { emulateTextAgent } from "../common/emulate-text-agent.ts";
import { jsonOption, refuseWith, refuseWithout, wholeNumber } from "../common/options.ts";
import { kernelsOption, variantOption } from "./build.ts";

interface EmulateVerbOptions {
  readonly json: boolean;
  readonly board: string;
  readonly variant: MemoryVariant;
  readonly kernels: KernelChoice;
  readonly frames?: string;
  readonly data?: string;
  readonly windows: number;
  readonly texts: number;
  readonly protocol?: "window" | "stream";
  readonly lm?: string;
  readonly prompt: string;
  readonly tokens: number;
  readonly context: number;
  readonly window: number;
}

/** Lost frames between two windows: more than any gap limit, so that the state is reset. */
const GAP_TICKS = 1000;

/** `dormouse emulate`: a board's decisions and their costs, compared with the host's. */
export function registerEmulate(program: Command, io: CliIo): void {
  program
    .command("emulate")
    .description("Run an agent or a language model on an emulated board (QEMU, rp2040js) and compare every result with the host's.")
    .argument("[agent]", "a bundled agent's name, or the path of an agent.ts; none with --lm")
    .requiredOption("--board <id>", "emulate this board")
    .addOption(
      new Option("--frames <file>", "run the sensor frames of a recorded link stream (.dls); this or --data is required").conflicts("data"),
    )
    .option("--data <dir>", "run windows of the agent's test wearers from these recordings; texts of CLINC150 or a CSV file text,label")
    .addOption(new Option("--windows <n>", "run this many windows, spread over the recordings").default(20).argParser(wholeNumber(1)))
    .addOption(
      new Option("--protocol <name>", "run window (reset state, every exit) or stream (state carried, exits of the image)").choices([
        "window",
        "stream",
      ]),
    )
    .addOption(
      new Option("--texts <n>", "run this many texts of an agent that reads texts, spread over --data")
        .default(200)
        .argParser(wholeNumber(1)),
    )
    .option("--lm <file>", "run this language image (.dmm) instead of an agent")
    .option("--prompt <text>", "start the language model from this text", "Once upon a time")
    .addOption(new Option("--tokens <n>", "generate this many tokens, greedily").default(64).argParser(wholeNumber(1, 1024)))
    .addOption(
      new Option("--context <n>", "measure the last token at this position; the host's own text fills what the prompt leaves")
        .default(128)
        .argParser(wholeNumber(2, 2048)),
    )
    .addOption(
      new Option("--window <n>", "limit the language model's attention to this many positions, a multiple of 8")
        .default(256)
        .argParser(wholeNumber(8, 1024)),
    )
    .addOption(variantOption())
    .addOption(kernelsOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse emulate activity --board pico --data ~/data --windows 20\n  $ dormouse emulate assistant --board pico --data ~/data\n  $ dormouse emulate --lm stories.dmm --board pico",
    )
    .action((agent: string | undefined, options: EmulateVerbOptions, command: Command) => run(io, agent, options, command));
}

async function run(io: CliIo, name: string | undefined, options: EmulateVerbOptions, command: Command): Promise<void> {
  const out = createOutput(io, options.json);
  const target = loadTarget(options.board);
  findEmulator(target); // before anything is built
  if (options.lm !== undefined) {
    if (name !== undefined) throw new ConfigError("EMULATE_WHAT", `give agent ${name} or --lm ${options.lm}, not both.`);
    refuseWith(command, "--lm", "--frames", "--data", "--windows", "--protocol", "--texts");
    return emulateLanguageModel(out, options.lm, { ...options, cwd: io.cwd, target });
  }
  if (name === undefined) throw new ConfigError("EMULATE_WHAT", "emulate what? Name an agent, or give --lm FILE (a language image).");
  refuseWithout(command, "--lm", "--prompt", "--tokens", "--context", "--window");
  if (await readsText(name, io.cwd)) {
    refuseWith(command, `agent ${name}, which reads texts`, "--frames", "--windows", "--protocol", "--kernels");
    const { data, variant, texts } = options;
    return emulateTextAgent(out, name, { cwd: io.cwd, target, variant, texts, ...(data === undefined ? {} : { data }) });
  }
  refuseWith(command, `agent ${name}, which reads a sensor`, "--texts");
  const agent = await loadAgent(name, io.cwd);
  const model = await openAgentModel(agent);
  const protocol = options.protocol ?? (options.frames === undefined ? "window" : "stream");
  const frames = placedFrames(io, agent, model, options, protocol);
  const windowFrames = model.image.windowPatches * model.image.patchFrames;
  const windows = frames.reduce((total, { samples }) => total + samples.length, 0) / (model.image.channels * windowFrames);
  const { variant, kernels } = options;
  out.note(`Building for ${target.id}, then ${countText(Number(windows.toFixed(1)), "window")} …`);
  const progress = out.progress(protocol === "window" ? "windows" : "stretches of frames");
  const result = await emulate({
    ...{ target, model, variant, kernels, frames, image: new Uint8Array(readFileSync(agent.modelPath)) },
    ...(protocol === "window" ? { setPoint: fullDepth(model) } : {}),
    onFrames: (done) => progress.at(done, frames.length),
  });
  progress.end();
  const { emulator, unit, decisions, identical, hash, worst, stackBytes, linearCost } = result;
  const perWindow = Math.round(result.cost / windows);
  const perDecision = Math.round(result.cost / Math.max(1, decisions));
  const figure = unit === "cycles" ? "Cycles" : "Instructions";
  out.say(
    `${agent.definition.name} on ${target.id} (${emulator}, ${variant} memory, kernels in ${kernels}): ${decisions} decisions, ${identical ? "identical to the host's" : "NOT the host's"}`,
  );
  out.say(`${perWindow} ${unit} per window, ${perDecision} per decision, ${worst} in the worst frame; ${stackBytes} B of stack`);
  out.document({
    ...{
      board: target.id,
      agent: agent.definition.name,
      emulator,
      variant,
      kernels,
      protocol,
      windows: Math.round(windows),
      decisions,
      identical,
      hash,
    },
    ...(result.firstDifference === undefined ? {} : { firstDifference: result.firstDifference }),
    [unit === "cycles" ? "cyclesPerWindow" : "instructionsPerWindow"]: perWindow,
    [`${unit}PerDecision`]: perDecision,
    [`worstHop${figure}`]: worst,
    ...(linearCost === 0 ? {} : { [`linear128${figure}PerMac`]: Number((linearCost / 16384).toFixed(3)) }),
    stackBytes,
  });
  if (!identical)
    throw new DataError(
      "EMULATION_DIFFERS",
      `decision ${result.firstDifference} of the emulated board is not the host's: keep the recording and report it.`,
    );
}

function placedFrames(
  io: CliIo,
  agent: LoadedAgent,
  model: Model,
  options: EmulateVerbOptions,
  protocol: "window" | "stream",
): PlacedFrames[] {
  if (options.frames !== undefined) return streamFrames(resolve(io.cwd, options.frames), model.image.channels);
  if (options.data === undefined)
    throw new ConfigError("EMULATE_WHAT", "emulate what? Give --frames FILE (a link stream), or --data DIR and --windows N.");
  const dataset = openRecordings(resolve(io.cwd, options.data), model.manifest, agent.definition.data);
  const test = selectRecordings(dataset, model.manifest.protocol.test);
  const all = (test.length > 0 ? test : dataset.recordings).flatMap((recording) =>
    scoredWindows(recording).map(({ start }) => ({ recording, start })),
  );
  if (all.length === 0)
    throw new DataError("EMULATE_NO_WINDOWS", `${options.data} holds no labelled window. Give a folder with the agent's recordings.`);
  const count = Math.min(options.windows, all.length);
  const frames = countWindowFrames(all[0]!.recording);
  if (protocol === "stream") {
    const { recording } = all[0]!;
    return [{ tick: 0, samples: recording.frames.subarray(0, count * frames * recording.channels) }];
  }
  return Array.from({ length: count }, (_, i) => {
    const { recording, start } = all[Math.floor((i * all.length) / count)]!;
    return {
      tick: i * (frames + GAP_TICKS),
      samples: recording.frames.subarray(start * recording.channels, (start + frames) * recording.channels),
    };
  });
}

/** The sensor frames of a link stream, consecutive ones joined. */
function streamFrames(path: string, channels: number): PlacedFrames[] {
  let bytes: Uint8Array;
  try {
    bytes = readWhole(path);
  } catch (cause) {
    throw new DataError("FILE_UNREADABLE", `cannot read ${path}: check the path.`, { cause });
  }
  const stretches: { tick: number; samples: number[] }[] = [];
  for (const frame of readLinkStream(bytes).frames) {
    const decoded = frame.type === "sensor" ? decodeSensor(frame.payload) : undefined;
    if (decoded?.ok !== true || decoded.value.channels !== channels) continue;
    const { tick, samples } = decoded.value;
    const last = stretches.at(-1);
    if (last !== undefined && (last.tick + last.samples.length / channels) >>> 0 === tick) last.samples.push(...samples);
    else stretches.push({ tick, samples: [...samples] });
  }
  if (stretches.length === 0)
    throw new DataError("REPLAY_EMPTY", `${path} holds no sensor frame of ${channels} channels. Give a recorded link stream (.dls).`);
  return stretches.map(({ tick, samples }) => ({ tick, samples: Int16Array.from(samples) }));
}
