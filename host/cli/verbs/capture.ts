import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { loadAgent } from "../../agent/registry.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { rateText } from "../capture/capture-screen.ts";
import { type CaptureSource, type CaptureSurroundings, openCaptureSource } from "../capture/capture-source.ts";
import { runCapture } from "../capture/run-capture.ts";
import { checkFolder } from "../common/files.ts";
import { jsonOption, numberAtLeast, wholeNumber } from "../common/options.ts";
import { wantsColour } from "../view/paint.ts";

interface CaptureVerbOptions {
  readonly json: boolean;
  readonly sensor?: string;
  readonly phone?: string | true;
  readonly wearer: number;
  readonly labels: readonly string[];
  readonly countdown: number;
  readonly seconds?: number;
  readonly out?: string;
}

const MOST_LABELS = 9; // keys 1 to 9
const LABEL = /^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,63}$/u; // neither comma nor quote: a field of a CSV file

/** `dormouse capture`: records a sensor into a CSV file, labelled by keys. */
export function registerCapture(program: Command, io: CliIo): void {
  program
    .command("capture")
    .description("Record a sensor into a CSV file that train reads; keys choose the label.")
    .argument("<folder>", "an agent's folder, as dormouse new writes it; recordings go to its folder recordings")
    .addOption(
      new Option("--sensor <spec>", "read serial:PATH[@BAUD], tcp:HOST:PORT, mqtt://HOST:PORT/TOPIC (JSON) or replay:FILE.dls").conflicts(
        "phone",
      ),
    )
    .option(
      "--phone [host[:port]]",
      "read a phone's motion: serve a page over https on this machine's network address and show its QR code",
    )
    .requiredOption("--wearer <n>", "name the person by this number in the file's name; train needs five persons", wholeNumber(1, 9999))
    .addOption(new Option("--labels <list>", "choose among these labels by the keys 1 to 9").argParser(readLabels).makeOptionMandatory())
    .option("--countdown <seconds>", "wait this long from the key to the first labelled sample", numberAtLeast(0), 3)
    .option("--seconds <n>", "stop after this many seconds (default: at q, Ctrl-C or the sensor's end)", numberAtLeast(1))
    .option("--out <dir>", "write the file to this folder (default: recordings in the agent's folder)")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nKeys: 1 to 9 label, space pause, u take the labels of the last 5 s away, q end." +
        "\n\nExamples:\n  $ dormouse capture gestures --sensor serial:/dev/ttyACM0 --wearer 1 --labels walk,sit,stand" +
        "\n  $ dormouse capture gestures --phone --wearer 2 --labels walk,sit,stand",
    )
    .action((folder: string, options: CaptureVerbOptions) => capture(io, folder, options));
}

async function capture(io: CliIo, name: string, options: CaptureVerbOptions): Promise<void> {
  const out = createOutput(io, options.json);
  if ((options.sensor === undefined) === (options.phone === undefined))
    throw new ConfigError(
      "CAPTURE_SENSOR",
      "give a sensor to record: --sensor serial:PATH, tcp:HOST:PORT, mqtt://HOST/TOPIC or replay:FILE.dls, or --phone.",
    );
  const agent = await loadAgent(name, io.cwd);
  if (agent.isBundled && options.out === undefined)
    throw new ConfigError("CAPTURE_FOLDER", `${name} comes with the package: give --out DIR, or an agent of your own (dormouse new NAME).`);
  const folder = resolve(io.cwd, options.out ?? join(agent.folder, "recordings"));
  checkFolder(folder);
  const stop = new AbortController();
  let remark = "";
  const tell = (text: string): void => {
    remark = text;
    if (io.terminal === undefined || out.isJson) out.note(text);
  };
  const { labels, wearer, countdown, seconds, sensor } = options;
  const around = { clock: io.clock, cwd: io.cwd, tell, signal: stop.signal };
  const phone = options.phone === undefined ? undefined : await openPhone(io, out, agent, options, around);
  const source = phone?.source ?? (await openSensor(sensor!, agent, around));
  const { rateHz } = agent.definition.sensor;
  const run = { title: `${agent.definition.name}, wearer ${wearer}`, source, rateHz, folder, wearer, labels, seconds, stop };
  const banner = phone?.banner ?? [];
  const summary = await runCapture(io, out, { ...run, banner, countdownSeconds: countdown, remark: () => remark }).finally(() =>
    phone?.source.close(),
  );
  const parts = Object.entries(summary.secondsByLabel).map(([label, some]) => `${label} ${some.toFixed(1)} s`);
  out.say(`${summary.file}: ${summary.samples} samples at ${summary.rateHz} Hz, ${parts.join(", ")}`);
  if (summary.measured !== undefined) out.say(`measured: ${rateText(summary.measured)}`);
  out.document(summary);
}

/** A sensor over MQTT, or on a link. */
async function openSensor(sensor: string, agent: LoadedAgent, around: CaptureSurroundings): Promise<CaptureSource> {
  if (!sensor.startsWith("mqtt")) return openCaptureSource(sensor, agent, around);
  const { openMqttSource, parseMqttSensor } = await import("../capture/mqtt-source.ts");
  const topic = parseMqttSensor(sensor);
  return topic === undefined ? openCaptureSource(sensor, agent, around) : openMqttSource(topic, agent, around);
}

/** Serves the phone's page, and makes what shows the way to it: printed here without a terminal. */
async function openPhone(io: CliIo, out: Output, agent: LoadedAgent, { phone, labels }: CaptureVerbOptions, around: CaptureSurroundings) {
  const { openPhoneSource, phoneAddress } = await import("../capture/phone-source.ts");
  const { qrLines } = await import("../capture/qr-code.ts");
  const source = await openPhoneSource(phoneAddress(phone!), agent, labels, around);
  const hint = "The certificate is this machine's own: the phone warns once. The address opens the page once.";
  const banner = [...qrLines(source.url, wantsColour(io.env)), `  ${source.url}`, `  ${hint}`];
  if (io.terminal === undefined || out.isJson) for (const line of [`Open ${source.url} on the phone.`, hint]) out.note(line);
  return { source, banner };
}

/** Parses `walk,sit,stand`. */
function readLabels(text: string): readonly string[] {
  const labels = text.split(",").map((label) => label.trim());
  if (labels.length > MOST_LABELS) throw new InvalidArgumentError(`Give at most ${MOST_LABELS} labels: one per key.`);
  const bad = labels.find((label, i) => !LABEL.test(label) || labels.indexOf(label) !== i);
  if (bad !== undefined)
    throw new InvalidArgumentError(`"${bad}" is no label, or is there twice. Give letters, digits and dashes, as in walk,sit,stand.`);
  return labels;
}
