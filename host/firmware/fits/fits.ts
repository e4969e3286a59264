import type { Model } from "../../core/session/model.ts";
import { instantiateCore } from "../../core/session/module.ts";
import { DormouseError } from "../../core/system/errors.ts";
import type { Board } from "../../power/board.ts";
import { createEnergyModel } from "../../power/energy.ts";
import { frameSource } from "../mcu/frame-source.ts";
import { programRoom } from "../mcu/program-sizes.ts";
import { emulatedTarget, loadTarget } from "../mcu/target.ts";
import { adviceFor, type Excess } from "./fits-advice.ts";
import { type Costs, computeCosts } from "./fits-costs.ts";
import { type MeasuredCosts, type MeasuredSizes, measureCosts, measureSizes } from "./fits-measure.ts";
import type { Basis, FitsReport, Room } from "./fits-report.ts";

export interface FitsOptions {
  readonly agent: string;
  readonly model: Model;
  /** The model image's bytes. */
  readonly image: Uint8Array;
  readonly board: Board;
  /** Boards that advice may name. */
  readonly boards: readonly Board[];
  /** Measures nothing: operation counts and arena alone. */
  readonly isQuick?: boolean;
  readonly onProgress?: (text: string) => void;
}

/** Stack size without a link, bytes. */
const STACK_RESERVE_BYTES = 2048;

/** Checks that an agent fits a board before flashing; if not, reports the excess and what to change. */
export async function checkFit(options: FitsOptions): Promise<FitsReport> {
  const { model, board } = options;
  const isFirmware = board.class === "microcontroller";
  const measured = isFirmware
    ? await measure(options)
    : { notMeasured: [], notes: ["runs under Node: only the core's own memory is counted"] };
  const costs = computeCosts(model, board, measured.costs);
  const rooms = isFirmware ? firmwareRooms(options, measured) : linuxRooms(options);
  const { image } = model;
  const full = costs.decisionSeconds.at(-1)!;
  const busyShare = Number.isNaN(full) ? undefined : full / costs.hopSeconds;
  const excess: Excess = {
    flashBytes: over(rooms.flash),
    ramBytes: over(rooms.ram),
    stackBytes: over(rooms.stack),
    worstHopFactor: (costs.worstHop.seconds ?? 0) / costs.worstHop.limitSeconds,
    busyFactor: busyShare ?? 0,
  };
  const refused = measured.sizes !== undefined && "refused" in measured.sizes ? [measured.sizes.refused] : [];
  const reasons = [...reasonsFor(board, excess, costs), ...refused];
  return {
    agent: options.agent,
    board: board.id,
    fits: reasons.length === 0,
    reasons,
    advice: adviceFor(image, excess, board, options.boards),
    flash: { ...rooms.flash, modelBytes: options.image.length },
    ram: { ...rooms.ram, arenaBytes: model.arenaBytes, contextBytes: image.contextPatches * image.channels * image.patchFrames },
    stack: rooms.stack,
    window: costs.window,
    worstHop: costs.worstHop,
    busyShare,
    energy: energyOf(board, model, costs),
    frames: isFirmware ? frameSource(loadTarget(board.id), image) : undefined,
    notes: [costs.note, ...measured.notes],
    notMeasured: measured.notMeasured,
  };
}

interface Measurements {
  readonly sizes?: MeasuredSizes;
  readonly costs?: MeasuredCosts;
  readonly notes: string[];
  readonly notMeasured: string[];
}

/** Measures with the installed tools; a missing tool is reported, not thrown. */
async function measure({ model, image, board, isQuick = false, onProgress }: FitsOptions): Promise<Measurements> {
  const target = loadTarget(board.id);
  const firmware = { target, image, variant: "fast", kernels: "c" } as const;
  const notes: string[] = [];
  const notMeasured: string[] = [];
  if (isQuick) return { notes, notMeasured: ["code, stack and time: not asked for (--quick)"] };
  const attempt = async <T>(what: string, run: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      onProgress?.(what);
      return await run();
    } catch (error) {
      if (!(error instanceof DormouseError) || error.code !== "TOOL_MISSING") throw error;
      notMeasured.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const sizes = await attempt("size of the program", () => measureSizes(firmware));
  const standIn = emulatedTarget(target);
  if (standIn === undefined) notMeasured.push(`stack and time: no emulator knows a ${target.cpu}`);
  const canRun = standIn !== undefined && sizes !== undefined && "flashBytes" in sizes;
  const costs = canRun
    ? await attempt("stack and time in emulation", () => measureCosts(model, { ...firmware, target: standIn }))
    : undefined;
  if (costs !== undefined)
    notes.push("stack and time are of the core, its start-up and HAL, driven by the probe; sizes are of the whole firmware");
  if (costs !== undefined && costs.on !== target.id)
    notes.push(`no emulator knows this board: stack and time are ${costs.on}'s, which has the same core`);
  return { notes, notMeasured, ...(sizes === undefined ? {} : { sizes }), ...(costs === undefined ? {} : { costs }) };
}

interface Rooms {
  readonly flash: Room;
  readonly ram: Room;
  readonly stack: Room;
}

function firmwareRooms({ board, model, image }: FitsOptions, { sizes, costs }: Measurements): Rooms {
  const room = programRoom(loadTarget(board.id));
  const coreBytes = instantiateCore("scalar").memoryBase() + model.arenaBytes;
  const computed = { flashBytes: image.length, ramBytes: coreBytes + STACK_RESERVE_BYTES };
  const isOver = sizes !== undefined && "overflow" in sizes ? sizes.overflow : undefined;
  const linked = sizes !== undefined && "flashBytes" in sizes ? sizes : undefined;
  const used = (region: "flash" | "ram"): Room => {
    const key = `${region}Bytes` as const;
    if (isOver?.region === region) return { usedBytes: room[key] + isOver.bytes, hasBytes: room[key], basis: "measured" };
    return { usedBytes: linked?.[key] ?? computed[key], hasBytes: room[key], basis: linked === undefined ? "computed" : "measured" };
  };
  return {
    flash: used("flash"),
    ram: used("ram"),
    stack: {
      usedBytes: costs?.stackBytes,
      hasBytes: linked?.stackReserveBytes ?? STACK_RESERVE_BYTES,
      basis: costs === undefined ? "unknown" : "measured",
    },
  };
}

function linuxRooms({ board, model, image }: FitsOptions): Rooms {
  const ram: Room = { usedBytes: image.length + model.arenaBytes, hasBytes: board.memory.ramBytes, basis: "computed" };
  const none: Room = { usedBytes: undefined, hasBytes: undefined, basis: "unknown" };
  return { flash: { ...none, usedBytes: image.length, basis: "computed" }, ram, stack: none };
}

const over = ({ usedBytes, hasBytes }: Room): number =>
  usedBytes === undefined || hasBytes === undefined ? 0 : Math.max(0, usedBytes - hasBytes);

function reasonsFor(board: Board, excess: Excess, { worstHop }: Costs): string[] {
  const reasons: string[] = [];
  if (excess.flashBytes > 0) reasons.push(`flash: ${excess.flashBytes} B more than ${board.id} has for the program`);
  if (excess.ramBytes > 0) reasons.push(`RAM: ${excess.ramBytes} B more than ${board.id} has`);
  if (excess.stackBytes > 0) reasons.push(`stack: ${excess.stackBytes} B more than its reserve`);
  if (excess.worstHopFactor > 1) {
    reasons.push(
      `the worst hop takes ${worstHop.seconds!.toFixed(3)} s; the receive ring is full after ${worstHop.limitSeconds.toFixed(3)} s`,
    );
  }
  if (excess.busyFactor > 1) reasons.push(`decisions at full depth take ${(100 * excess.busyFactor).toFixed(0)} % of the time`);
  return reasons;
}

function energyOf(board: Board, model: Model, costs: Costs): FitsReport["energy"] {
  if (board.power === undefined || costs.window.seconds === undefined) {
    return { decisionMicrojoules: undefined, windowMicrojoules: undefined, sleepMicrowatts: undefined, basis: "unknown" };
  }
  const energy = createEnergyModel(board.power, model.manifest.frameRateHz);
  const micro = (joules: number): number => Math.round(joules * 1e7) / 10;
  const basis: Basis = "computed"; // joules are never measured here: watts from data sheets × seconds
  return {
    decisionMicrojoules: costs.decisionSeconds.map((seconds) => micro(seconds * energy.activeWatts)),
    windowMicrojoules: micro(costs.window.seconds * energy.activeWatts),
    sleepMicrowatts: micro(energy.sleepWatts),
    basis,
  };
}
