import type { PushResult, Session } from "../../core/session/session-types.ts";
import type { AskQuery } from "../../mqtt/wire/ask.ts";
import type { AskForm } from "../../mqtt/wire/ask-forms.ts";
import { PAYLOAD_LIMITS } from "../../mqtt/wire/payloads.ts";
import { chooseForm } from "./ask-form.ts";
import { createPrivacyBudget, largestWithin, type PrivacyBudget } from "./privacy-budget.ts";

/** A form that an agent's asks may take. */
export interface AskInput {
  readonly form: AskForm;
  readonly worth: number; // share of asks that the cloud answers rightly from it
  readonly atExit?: number | undefined; // of activations: the exit whose head reads them; the cloud goes on above it. Default 0
}

export interface AskInputOptions {
  readonly inputs?: readonly AskInput[] | undefined; // default features alone
  readonly privacyBitsAnHour?: number | undefined; // default unbounded
  readonly privacyBytesPerDay?: number | undefined; // default unbounded
  readonly worthAKilobyte?: number | undefined; // default 0
}

/** The part of an ask that holds sensor data. */
export type AskContent = Pick<AskQuery, "patches" | "patchBytes" | "windowPatches"> & Partial<Pick<AskQuery, "form" | "atExit">>;

/** Gathers what asks may carry, and picks the form of each. */
export interface AskInputs {
  /** After each frame, with what the session made of it. */
  gather(frame: Int16Array, result: PushResult): void;
  /** Of sensor data, in the smallest ask of the declared forms. */
  readonly leastBytes: number;
  readonly privacy: PrivacyBudget;
  /** The content of an ask at device time `seconds`, which it spends; undefined if there is none that may go. Features are the whole context if it fits, else its last window; never more than the last `mostPatches`, 0: nothing may go. */
  take(seconds: number, mostPatches?: number): AskContent | undefined;
}

/** The rest of an ask's payload: a ceiling. */
const ASK_OVERHEAD_BYTES = 32_768;

export function createAskInputs(
  session: Session,
  model: { readonly patchBytes: number; readonly windowPatches: number },
  options: AskInputOptions = {},
  privacy = createPrivacyBudget({ bytesPerDay: options.privacyBytesPerDay, bitsPerHour: options.privacyBitsAnHour }),
): AskInputs {
  const { inputs = [{ form: "features", worth: 1 }], worthAKilobyte = 0 } = options;
  const { patchBytes, windowPatches } = model;
  const maxBytes = PAYLOAD_LIMITS.ask - ASK_OVERHEAD_BYTES;
  const activations = inputs.find(({ form }) => form === "activations");
  const isRaw = inputs.some(({ form }) => form === "raw");
  const atExit = activations?.atExit ?? 0;
  let rawRows: Int8Array[] = []; // of the last windowPatches patches without a gap
  let activationRows: Int8Array[] = [];
  let partial: Int16Array[] | undefined; // frames of the patch that is being filled; undefined until a patch begins

  const keep = (rows: Int8Array[], row: Int8Array) => {
    rows.push(row);
    if (rows.length > windowPatches) rows.shift();
  };
  const contents = (input: AskInput, mostPatches: number, allowedBytes: number): AskContent | undefined => {
    if (input.form === "features") {
      const context = session.context();
      const longest = Math.min(context.length, mostPatches * patchBytes);
      const bytes = largestWithin(allowedBytes, [longest, Math.min(longest, windowPatches * patchBytes)]);
      const patches = context.subarray(Math.max(0, context.length - bytes));
      return patches.length === 0 ? undefined : { patches, patchBytes, windowPatches };
    }
    const rows = input.form === "raw" ? rawRows : activationRows;
    if (rows.length < windowPatches) return undefined; // too early after a gap
    const head = { form: input.form, patches: joined(rows), patchBytes: rows[0]!.length, windowPatches };
    return input.form === "raw" ? head : { ...head, atExit };
  };
  const choice = (seconds: number, mostPatches = Number.POSITIVE_INFINITY) => {
    if (mostPatches === 0) return undefined;
    const allowedBytes = privacy.allowedBytes(seconds);
    const offers = inputs.flatMap((input) => {
      const content = contents(input, mostPatches, allowedBytes);
      return content === undefined ? [] : [{ ...input, content, bytes: content.patches.length }];
    });
    return chooseForm(offers, { allowedBytes, maxBytes, worthAKilobyte });
  };

  return {
    gather(frame, result) {
      if (result.ignored) return;
      if (result.held || result.reset) {
        [rawRows, activationRows] = [[], []];
        partial = result.reset && !result.held ? [] : undefined;
      }
      if (isRaw) partial?.push(frame.slice());
      if (!result.patch) return;
      if (isRaw && partial !== undefined) {
        const row = rawRow(partial);
        if (row.length === 2 * patchBytes) keep(rawRows, row);
      }
      partial = [];
      if (activations) keep(activationRows, session.features(atExit));
    },
    leastBytes: Math.min(
      ...inputs.map(({ form }) => windowPatches * (form === "raw" ? 2 * patchBytes : form === "features" ? patchBytes : 1)),
    ),
    privacy,
    take(seconds, mostPatches) {
      const chosen = choice(seconds, mostPatches);
      if (chosen) privacy.send(seconds, chosen.bytes);
      return chosen?.content;
    },
  };
}

/** (patchFrames, channels) s16, little-endian whatever the machine. */
function rawRow(frames: readonly Int16Array[]): Int8Array {
  const values = frames.flatMap((frame) => [...frame]);
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeInt16LE(value, 2 * i);
  return Int8Array.from(bytes);
}

function joined(rows: readonly Int8Array[]): Int8Array {
  const bytes = new Int8Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    bytes.set(row, at);
    at += row.length;
  }
  return bytes;
}
