import { DataError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { wantsColour } from "../view/paint.ts";
import { captureLines, phaseText, rateText } from "./capture-screen.ts";
import { CaptureSession } from "./capture-session.ts";
import type { CaptureSource } from "./capture-source.ts";
import { type MeasuredRate, RateMeter } from "./rate-meter.ts";
import { openRecordingFile } from "./recording-file.ts";

export interface CaptureRun {
  readonly title: string;
  readonly source: CaptureSource;
  readonly rateHz: number; // that the agent declares
  readonly folder: string;
  readonly wearer: number;
  readonly labels: readonly string[];
  readonly countdownSeconds: number;
  /** Stops after so many recorded seconds; undefined: at q, at Ctrl-C or when the sensor ends. */
  readonly seconds: number | undefined;
  /** The last sentence about the sensor. */
  readonly remark: () => string;
  readonly stop: AbortController;
  /** Shown until the first sample comes. */
  readonly banner?: readonly string[];
}

export interface CaptureSummary {
  readonly file: string;
  readonly samples: number;
  readonly rateHz: number; // of the file's times
  readonly measured: MeasuredRate | undefined;
  readonly secondsByLabel: Readonly<Record<string, number>>;
}

/** What a port has kept until it was opened comes at once: the first frames tell nothing of the beat. */
const SETTLE_SECONDS = 1;
/** The declared rate is confirmed after so long. */
const CONFIRM_SECONDS = 3;
/** Another one is believed after so long: arrivals stray. */
const DOUBT_SECONDS = 8;
/** A measured rate this close to the declared one is the declared one: `train` takes it for that, too. */
const SAME_RATE = 0.02;
const DRAW_MILLIS = 200;

/** Records until q, Ctrl-C, the sensor's end or the time is up. Throws CAPTURE_EMPTY if nothing was labelled; then there is no file. */
export async function runCapture(io: CliIo, out: Output, run: CaptureRun): Promise<CaptureSummary> {
  const { source, stop } = run;
  const meter = new RateMeter();
  const file = openRecordingFile(run.folder, run.wearer, source.channels);
  const session = new CaptureSession({ labels: run.labels, countdownSeconds: run.countdownSeconds, onRow: (row) => file.add(row) });
  let rateHz = source.isMeasured ? undefined : run.rateHz; // of the file's times
  let rateRemark = "";
  let origin: number | undefined; // count of the first sample that the session got
  let values: readonly number[] = [];
  let startedAt: number | undefined; // when the first frame came
  const measuredRate = (): MeasuredRate | undefined => (source.rate ? source.rate() : meter.measured());
  const screen = createScreen(io, out, () => ({
    title: `${run.title} · ${source.name}`,
    path: file.path,
    session,
    rate: measuredRate(),
    banner: values.length === 0 ? (run.banner ?? []) : [],
    rateHz: rateHz ?? run.rateHz,
    values: source.channels.map(({ name }, c) => `${name} ${(values[c] ?? 0).toFixed(2)}`),
    remark: rateRemark || run.remark(),
  }));
  const onInterrupt = (): void => stop.abort();
  io.interrupt.addEventListener("abort", onInterrupt, { once: true });
  const press = (key: string): void => {
    if (session.press(key) === "quit") stop.abort();
    screen.changed();
  };
  source.attach?.({ session, press });
  const keys = readKeys(io, stop, press);
  try {
    for await (const sample of source.samples) {
      if (stop.signal.aborted) break;
      const now = io.clock.now();
      startedAt ??= now;
      const settled = (now - startedAt) / 1000 - SETTLE_SECONDS;
      if (settled >= 0) meter.add(sample.count, now);
      values = sample.values;
      if (rateHz === undefined) {
        const measured = meter.measured();
        if (measured === undefined || settled < CONFIRM_SECONDS) continue;
        const isSame = isSameRate(measured.hz, run.rateHz);
        if (!isSame && settled < DOUBT_SECONDS) continue;
        rateHz = isSame ? run.rateHz : Number(measured.hz.toFixed(2));
        if (rateHz !== run.rateHz)
          rateRemark = `the sensor sends ${rateHz} frames per second, agent.ts says ${run.rateHz}: times are written as measured; train with --rate ${run.rateHz}`;
        if (rateRemark !== "") out.note(rateRemark);
      }
      origin ??= sample.count;
      const before = session.phase;
      session.sample((sample.count - origin) / rateHz, sample.values);
      if (session.phase !== before) screen.changed();
      if (run.seconds !== undefined && (sample.count - origin) / rateHz >= run.seconds) break;
    }
  } finally {
    stop.abort();
    io.interrupt.removeEventListener("abort", onInterrupt);
    await keys;
    screen.close();
    session.finish();
    file.close();
  }
  const seconds = [...session.samples()].map(([label, samples]) => [label, Number((samples / (rateHz ?? run.rateHz)).toFixed(2))] as const);
  if (!seconds.some(([, some]) => some > 0)) {
    file.discard();
    throw new DataError(
      "CAPTURE_EMPTY",
      `nothing was labelled${file.rows === 0 && startedAt === undefined ? `: no frames came from ${source.name}` : ""}, so no file is kept. Press a label's key (1 to ${run.labels.length}) while frames come.`,
    );
  }
  return {
    file: file.path,
    samples: file.rows,
    rateHz: rateHz ?? run.rateHz,
    measured: source.isMeasured || source.rate ? measuredRate() : undefined,
    secondsByLabel: Object.fromEntries(seconds),
  };
}

function isSameRate(measured: number, declared: number): boolean {
  return Math.abs(measured / declared - 1) <= SAME_RATE;
}

/** Keys until the input or the capture ends. An input that ends stops nothing. */
async function readKeys(io: CliIo, stop: AbortController, press: (key: string) => void): Promise<void> {
  if (io.keys === undefined) return;
  for await (const key of io.keys(stop.signal)) {
    if (stop.signal.aborted) return;
    press(key);
  }
}

/** Draws in a terminal; elsewhere a line when the phase changes. */
function createScreen(io: CliIo, out: Output, state: () => Parameters<typeof captureLines>[0]) {
  const terminal = out.isJson ? undefined : io.terminal;
  let cancel = (): void => {};
  let said = "";
  const draw = (): void => terminal?.draw(captureLines(state(), terminal.size(), wantsColour(io.env)));
  const tick = (): void => {
    draw();
    cancel = io.clock.after(DRAW_MILLIS, tick);
  };
  if (terminal !== undefined) tick();
  return {
    changed() {
      if (terminal !== undefined) return draw();
      const { session, rate } = state();
      const text = session.phase === "countdown" ? `${session.label} begins after the countdown` : phaseText(session);
      if (text !== said) out.note(`${text} (${rateText(rate)})`);
      said = text;
    },
    close() {
      cancel();
      draw();
      terminal?.finish();
    },
  };
}
