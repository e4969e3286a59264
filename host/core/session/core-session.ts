import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { checkReplacement } from "../image/image-check.ts";
import type { Lda, ModelImage } from "../image/image-types.ts";
import { DataError, ModelError } from "../system/errors.ts";
import { type CoreBuild, type CoreExports, growTo, instantiateCore } from "./module.ts";
import type { Decision, DecisionWhy, PushResult, Session, SetPoint } from "./session-types.ts";
import { statusError } from "./status.ts";

const WHY: readonly DecisionWhy[] = ["exit", "ask", "deferred", "budget", "thermal"];
const LIMIT_REASONS = { none: 0, budget: layout.WHY_BUDGET, thermal: layout.WHY_THERMAL } as const;

/** The sensor's faults in a decision's words, if there are any. */
export function readSensorFaults(words: ArrayLike<number>): Pick<Decision, "sensorFaults"> {
  const sensorFaults = words[layout.DECISION_FAULTS]!;
  return sensorFaults === 0 ? {} : { sensorFaults };
}

function requireLength(what: string, found: number, needed: number): void {
  if (found !== needed)
    throw new DataError("BAD_LENGTH", `a ${what} has ${found} values, the model takes ${needed}. Check the sensor's channels.`);
}

/** Bytes of arena that an image needs, found by asking the core for none. */
export function measureArenaBytes(imageBytes: Uint8Array, build: CoreBuild, subject: string): number {
  const core = instantiateCore(build);
  const image = placeImage(core, imageBytes);
  const status = core.prepare(image, imageBytes.byteLength, align16(image + imageBytes.byteLength), 0);
  if (status !== layout.STATUS_ARENA_TOO_SMALL) throw statusError(status, subject);
  return core.arenaUsedBytes();
}

function placeImage(core: CoreExports, imageBytes: Uint8Array): number {
  const image = core.memoryBase();
  growTo(core, align16(image + imageBytes.byteLength));
  new Uint8Array(core.memory.buffer).set(imageBytes, image);
  return image;
}

/** Room for an LDA record of the image's shape and its arrays; 0 if the image has none. */
function ldaBytes({ lda }: ModelImage): number {
  if (lda === undefined) return 0;
  const arrays = [lda.means, lda.limits, lda.weights, lda.bias];
  return arrays.reduce((sum, { byteLength }) => sum + align16(byteLength), align16(4 * layout.LDA_WORDS));
}

/** A session over the wasm core: one instance, one image, one arena, memory fixed from the start. */
export class CoreSession implements Session {
  readonly engine: CoreBuild;
  readonly arenaBytes: number;
  readonly #core: CoreExports;
  readonly #model: number;
  readonly #image: ModelImage;
  readonly #bytes: Uint8Array;
  readonly #frame: Int16Array;
  readonly #patch: Int8Array;
  readonly #setPoint: Int32Array;
  readonly #decision: Int32Array;
  readonly #tail: Int32Array;
  readonly #scratch: number; // where snapshots go
  readonly #at: number; // where the image is
  readonly #lda: number; // where an LDA record of our own goes, its arrays behind it

  constructor(image: ModelImage, imageBytes: Uint8Array, build: CoreBuild, arenaBytes: number, subject: string) {
    this.engine = build;
    this.arenaBytes = arenaBytes;
    this.#image = image;
    const core = instantiateCore(build);
    const at = placeImage(core, imageBytes);
    const model = align16(at + imageBytes.byteLength);
    const scratch = align16(model + arenaBytes);
    const lda = align16(scratch + layout.SNAPSHOT_HEADER_BYTES + arenaBytes);
    growTo(core, lda + ldaBytes(image));
    const status = core.prepare(at, imageBytes.byteLength, model, arenaBytes);
    if (status !== layout.STATUS_OK) throw statusError(status, subject, `needs ${core.arenaUsedBytes()} B of arena, has ${arenaBytes} B`);
    this.#core = core;
    this.#model = model;
    this.#scratch = scratch;
    this.#at = at;
    this.#lda = lda;
    const memory = core.memory.buffer;
    this.#bytes = new Uint8Array(memory);
    this.#frame = new Int16Array(memory, core.framePtr(model), image.channels);
    this.#patch = new Int8Array(memory, core.patchPtr(model), image.channels * image.patchFrames);
    this.#setPoint = new Int32Array(memory, core.setPointPtr(model), layout.SETPOINT_WORDS);
    this.#decision = new Int32Array(memory, core.decisionPtr(model), layout.DECISION_WORDS);
    this.#tail = new Int32Array(memory, core.tailPtr(model), layout.TAIL_WORDS);
  }

  reset(): void {
    this.#core.reset(this.#model);
  }

  pushFrame(frame: Int16Array, tick: number): PushResult {
    requireLength("frame", frame.length, this.#frame.length);
    this.#frame.set(frame);
    return this.#result(this.#core.pushFrame(this.#model, tick));
  }

  pushPatch(patch: Int8Array): PushResult {
    requireLength("patch", patch.length, this.#patch.length);
    this.#patch.set(patch);
    return this.#result(this.#core.pushPatch(this.#model));
  }

  decide(): Decision {
    this.#core.decide(this.#model);
    return this.#readDecision();
  }

  logits(): Int16Array[] {
    this.#core.runAll(this.#model);
    return this.#image.exits.map((_, k) =>
      new Int16Array(this.#core.memory.buffer, this.#core.logitsPtr(this.#model, k), this.#image.nClasses).slice(),
    );
  }

  features(exit: number): Int8Array {
    this.#requireExit(exit);
    return new Int8Array(this.#core.memory.buffer, this.#core.exitFeaturesPtr(this.#model, exit), this.#image.dModel).slice();
  }

  setPoint(setPoint: SetPoint): void {
    const words = this.#setPoint;
    const numbers = [setPoint.maxExit, setPoint.hopPatches, setPoint.askIntervalHops, ...setPoint.thresholds];
    if (setPoint.thresholds.length > layout.LIMIT_EXITS || !numbers.every((n) => n === (n | 0))) {
      throw statusError(layout.STATUS_BAD_SET_POINT, "set-point", JSON.stringify(setPoint));
    }
    words.fill(0);
    words[layout.SETPOINT_MAX_EXIT] = setPoint.maxExit;
    words[layout.SETPOINT_HOP_PATCHES] = setPoint.hopPatches;
    words[layout.SETPOINT_ASK_ALLOWED] = setPoint.askAllowed ? 1 : 0;
    words[layout.SETPOINT_LIMIT_REASON] = LIMIT_REASONS[setPoint.limitReason];
    words[layout.SETPOINT_ASK_INTERVAL_HOPS] = setPoint.askIntervalHops;
    words.set(setPoint.thresholds, layout.SETPOINT_THRESHOLDS);
    const status = this.#core.applySetPoint(this.#model);
    if (status !== layout.STATUS_OK) throw statusError(status, "set-point", JSON.stringify(setPoint));
  }

  context(): Int8Array {
    const { contextPatches, channels, patchFrames } = this.#image;
    const patchBytes = channels * patchFrames;
    const ring = new Int8Array(this.#core.memory.buffer, this.#core.contextPtr(this.#model), contextPatches * patchBytes);
    const head = this.#tail[layout.TAIL_CONTEXT_HEAD]!;
    const count = this.#tail[layout.TAIL_CONTEXT_COUNT]!;
    const out = new Int8Array(count * patchBytes);
    const older = Math.max(0, count - head) * patchBytes; // the part before the ring's wrap
    out.set(ring.subarray(ring.length - older));
    out.set(ring.subarray(Math.max(0, head - count) * patchBytes, head * patchBytes), older);
    return out;
  }

  snapshot(): Uint8Array {
    this.#core.snapshot(this.#model, this.#scratch);
    return this.#bytes.slice(this.#scratch, this.#scratch + this.#core.snapshotBytes(this.#model));
  }

  restore(snapshot: Uint8Array): void {
    const bytes = this.#core.snapshotBytes(this.#model);
    if (snapshot.byteLength !== bytes) {
      throw statusError(layout.STATUS_BAD_SNAPSHOT, "snapshot", `${snapshot.byteLength} B, this model's has ${bytes} B`);
    }
    this.#bytes.set(snapshot, this.#scratch);
    const status = this.#core.restore(this.#model, this.#scratch, bytes);
    if (status !== layout.STATUS_OK) throw statusError(status, "snapshot");
  }

  setLda(lda: Lda): void {
    checkReplacement(lda, this.#image);
    const { means, limits, weights, bias, shift } = lda;
    const words = [0, 0, 0, 0, shift]; // LDA_ words: offsets from the image, then the shift
    let at = align16(this.#lda + 4 * layout.LDA_WORDS);
    for (const [i, array] of [means, limits, weights, bias].entries()) {
      words[i] = at - this.#at;
      this.#bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      at = align16(at + array.byteLength);
    }
    new Int32Array(this.#core.memory.buffer, this.#lda, layout.LDA_WORDS).set(words);
    const status = this.#core.useLda(this.#model, this.#lda);
    if (status !== layout.STATUS_OK) throw statusError(status, "LDA");
  }

  opCount(exit: number): ReturnType<Session["opCount"]> {
    this.#requireExit(exit);
    const count = (kind: number): number => this.#core.opCount(this.#model, exit, kind) >>> 0;
    return {
      macs: count(layout.OPS_MACS),
      requantize: count(layout.OPS_REQUANTIZE),
      state: count(layout.OPS_STATE),
      lookup: count(layout.OPS_LOOKUP),
      norm: count(layout.OPS_NORM),
      weightBytes: count(layout.OPS_WEIGHT_BYTES),
    };
  }

  #requireExit(exit: number): void {
    if (this.#image.exits[exit] !== undefined) return;
    throw new ModelError("NO_SUCH_EXIT", `exit ${exit} does not exist: the model has exits 0 … ${this.#image.exits.length - 1}.`);
  }

  #result(flags: number): PushResult {
    return {
      patch: (flags & layout.PUSH_PATCH) !== 0,
      held: (flags & layout.PUSH_HELD) !== 0,
      reset: (flags & layout.PUSH_RESET) !== 0,
      ignored: (flags & layout.PUSH_IGNORED) !== 0,
      decision: (flags & layout.PUSH_DECISION) !== 0 ? this.#readDecision() : undefined,
    };
  }

  #readDecision(): Decision {
    const words = this.#decision;
    return {
      label: words[layout.DECISION_LABEL]!,
      exit: words[layout.DECISION_EXIT]!,
      confidenceQ15: words[layout.DECISION_CONFIDENCE]!,
      why: WHY[words[layout.DECISION_WHY]!]!,
      tick: words[layout.DECISION_TICK]! >>> 0,
      patch: words[layout.DECISION_PATCH]! >>> 0,
      macs: words[layout.DECISION_MACS]! >>> 0,
      rebuilds: words[layout.DECISION_REBUILDS]!,
      steps: words[layout.DECISION_STEPS]! >>> 0,
      ...readSensorFaults(words),
    };
  }
}
