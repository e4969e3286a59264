import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import { openTeacher } from "../../cloud/open-teacher.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { numberText, percentText, table } from "../../core/system/table.ts";
import { openRecordings } from "../../data/open-recordings.ts";
import { selectRecordings } from "../../data/recording.ts";
import { faultNames } from "../../data/sensor-faults.ts";
import { scoredLists } from "../../eval/eval-setting.ts";
import { DEFAULT_PRICES, type PolicyFile } from "../../policy/govern/policy-file.ts";
import { createBattery, selfDischargeWatts } from "../../power/battery.ts";
import { radioKinds } from "../../power/board-power.ts";
import { baselineDays } from "../../simulate/baselines.ts";
import { createSimulatedCloud } from "../../simulate/cloud.ts";
import { governedDay } from "../../simulate/governed-day.ts";
import { type DayOptions, openDay } from "../../simulate/open-day.ts";
import { batteryLifeHours, type DayDocument, dayDocument } from "../../simulate/summary.ts";
import { tunePolicy } from "../../simulate/tune.ts";
import { checkWritable, writeFile } from "../common/files.ts";
import { engineOption, jsonOption, numberAtLeast, refuseWith, refuseWithout, wholeNumber } from "../common/options.ts";
import { backToBack } from "../simulate/back-to-back.ts";
import { alarmSentences, batteryText, comparisonSentences, courseSentences, dayTable } from "../simulate/day-words.ts";
import { dayPage } from "../simulate/report/day-page.ts";

interface SimulateOptions extends DayOptions {
  readonly json: boolean;
  readonly baselines: boolean;
  readonly html?: string;
  readonly tune?: string;
  readonly backToBack: boolean;
}

/** `dormouse simulate`: a wearer's day on a board, in simulated time. */
export function registerSimulate(program: Command, io: CliIo): void {
  program
    .command("simulate")
    .description("Simulate a wearer's day on a board: joules, battery, skin temperature, asks, against three baselines.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .option("--board <id>", "simulate this board; dormouse boards lists them", "nrf52840-dk")
    .addOption(new Option("--radio <kind>", "reach the cloud over this radio").choices(radioKinds).default("ble"))
    .option("--hours <n>", "simulate this many hours from midnight", numberAtLeast(0.1), 24)
    .option(
      "--seed <n>",
      "seed the network, loss and the order of recordings; equal seeds give equal bytes",
      wholeNumber(0, 0x7fff_ffff),
      1,
    )
    .option("--data <dir>", "build the day from these recordings (default: the agent's synthetic wearer)")
    .addOption(
      new Option("--wearers <list>", "use the recordings of these wearers of the image's manifest, with --data")
        .choices(scoredLists)
        .default("test"),
    )
    .option("--wearer <name>", "use the recordings of one wearer, with --data")
    .addOption(new Option("--fault <name>", "inject a sensor fault, with --data").choices(faultNames))
    .option("--network <csv>", "replay a network trace (time,up,rttMillis,loss) instead of the seeded two-state network")
    .option("--ambient <celsius>", "set the mean air temperature of the day, °C", numberAtLeast(-40), 22)
    .option("--battery <percent>", "set the charge at the start, per cent", wholeNumber(1, 100), 100)
    .option("--target-hours <n>", "aim at this battery life", numberAtLeast(1), 168)
    .option(
      "--privacy-bytes <n>",
      "allow this many bytes of sensor data to leave the device per day (default: set by the agent, or 4194304)",
      wholeNumber(0),
    )
    .option(
      "--report-seconds <n>",
      "report at this interval: what is no alarm waits for it, and each report audits one decision (default: set by the agent, or 3600)",
      wholeNumber(10),
    )
    .option("--back-to-back", "run decisions back to back beside the board's load, governed and not, instead of a day", false)
    .option("--no-baselines", "skip the baselines fullDepth, alwaysLocal, alwaysCloud and mute")
    .option("--html <file>", "write the report as an HTML page, too")
    .option("--tune <file>", "write the outcome statistics of --wearers calibrate to this policy.json instead")
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse simulate activity --board nrf52840-dk --hours 24 --radio lte-m --json" +
        "\n  $ dormouse simulate activity --data ~/data --html day.html" +
        "\n  $ dormouse simulate fall --radio lte-m" +
        "\n  $ dormouse simulate activity --board smart-glasses --ambient 35 --back-to-back --hours 4 --html heat.html" +
        "\n  $ dormouse simulate activity --data ~/data --wearers calibrate --tune agents/activity/policy.json",
    )
    .action((agent: string, options: SimulateOptions, command: Command) => {
      if (options.data === undefined && options.tune === undefined) refuseWithout(command, "--data DIR", "--wearer", "--wearers");
      const ofADay = [
        "--radio",
        "--seed",
        "--network",
        "--battery",
        "--target-hours",
        "--privacy-bytes",
        "--report-seconds",
        "--no-baselines",
      ];
      if (options.backToBack) refuseWith(command, "--back-to-back", "--tune", "--data", ...ofADay);
      if (isTuning(options)) refuseWith(command, "--tune", "--html", "--board", "--hours", "--ambient", "--fault", "--wearer", ...ofADay);
      return simulate(io, agent, options);
    });
}

async function simulate(io: CliIo, name: string, options: SimulateOptions): Promise<void> {
  const out = createOutput(io, options.json);
  for (const file of [options.html, options.tune]) if (file !== undefined) checkWritable(resolve(io.cwd, file));
  if (options.backToBack) return backToBack(name, options, io.cwd, out);
  if (options.tune !== undefined) return tune(io, out, name, options, options.tune);
  const setting = await openDay(name, options, io.cwd, out);
  out.note(`Simulating ${options.hours} h of ${setting.day.source} on ${setting.board.id} over ${setting.radioKind} …`);
  const governed = await governedDay(setting);
  if (options.baselines) out.note("The same day without a governor …");
  const baselines = options.baselines ? await baselineDays(setting) : undefined;
  const { capacityJoules } = createBattery(setting.board.battery);
  const selfDischarge = selfDischargeWatts(setting.board.battery);
  const document = dayDocument(setting, governed, baselines, (watts, charge = 1) =>
    batteryLifeHours(charge * capacityJoules, watts, charge * selfDischarge),
  );
  say(out, document);
  if (options.html !== undefined) writeFile(resolve(io.cwd, options.html), dayPage(setting, governed, document));
  out.document(document);
}

const isTuning = ({ data, tune, wearers }: SimulateOptions): boolean => tune !== undefined && data !== undefined && wearers === "calibrate";

/** Writes the outcome statistics of the policy, from wearers who are not scored. */
async function tune(io: CliIo, out: Output, name: string, options: SimulateOptions, file: string): Promise<void> {
  if (options.data === undefined || !isTuning(options))
    throw new ConfigError(
      "TUNE_WEARERS",
      "--tune needs --data DIR and --wearers calibrate: image and teacher have learned from the select wearers, and the test wearers tune nothing.",
    );
  const agent = await loadAgent(name, io.cwd);
  const model = await openAgentModel(agent, { engine: options.engine });
  out.note(`Reading ${options.data} …`);
  const dataset = openRecordings(resolve(io.cwd, options.data), model.manifest, agent.definition.data);
  const users = model.manifest.protocol[options.wearers].map(String);
  const cloud = createSimulatedCloud(await openTeacher(agent, options.engine));
  const progress = out.progress("recordings");
  const tuning = await tunePolicy(model, selectRecordings(dataset, users), agent.definition.name, cloud, progress.at);
  progress.end();
  const policy: PolicyFile = {
    imageHash: model.imageHash,
    tunedOn: users,
    decisions: tuning.decisions,
    table: { sure: [...tuning.table.sure], unsure: [...tuning.table.unsure], asked: tuning.table.asked },
    usualDisagreement: [...tuning.usualDisagreement],
    prices: DEFAULT_PRICES,
  };
  writeFile(resolve(io.cwd, file), `${JSON.stringify(policy, undefined, 2)}\n`);
  out.say(`${file}: ${tuning.decisions} decisions of the wearers ${users.join(" ")}`);
  out.document(policy);
}

function say(out: Output, document: DayDocument): void {
  out.say(
    `${document.agent} on ${document.board} over ${document.radio}: ${numberText(document.hours, Number.isInteger(document.hours) ? 0 : 1)} h, ${numberText(document.decisions)} decisions, seed ${document.day.seed}`,
  );
  out.say(`${batteryText(document)}, ${percentText(document.accuracy, 2)} of the decisions right`);
  for (const sentence of courseSentences(document)) out.say(sentence);
  const { head, rows } = dayTable(document);
  for (const line of table(head, rows)) out.say(line);
  out.say();
  out.say(
    `asked ${document.asked} (${document.asks.audits} audits), ${numberText(document.sensorBytesSent)} B of sensor data sent (${numberText(document.day.privacyBytesPerDay)} B per day allowed), skin at most ${document.skinMaxCelsius} °C, ${document.degradeChanges} changes of degrade level, overspent ${document.overspendJoules} J`,
  );
  for (const sentence of [...alarmSentences(document), ...comparisonSentences(document)]) out.say(sentence);
}
