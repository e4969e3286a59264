import { z } from "zod";

/** Why a command was not obeyed; each is counted. */
export const COMMAND_REFUSALS = [
  "unsigned", // no envelope, altered, or another key's signature
  "malformed", // signed, but not a command of this version
  "wrong-node", // another node's or site's
  "wrong-verb", // sent on another verb's topic
  "late", // its time is over
  "replayed", // the last one again
  "older", // counter below the last
  "ahead", // counter far ahead of the clock: it would outdate every later one
  "not-stored", // the disk did not take the counter: what cannot be remembered is not done
  "not-done", // the node could not do it
] as const;
export type CommandRefusal = (typeof COMMAND_REFUSALS)[number];

/** Report of a node without a command key. */
export const TAKES_NONE = "takes-none";

const reportSchema = z.object({
  verb: z.string().max(64),
  counter: z.number(),
  result: z.enum(["obeyed", "refused"]),
  /** Obeyed: what is so now, such as the set-point in force. */
  effect: z.record(z.string().max(64), z.unknown()).optional(),
  refusal: z.string().max(64).optional(),
  reason: z.string().max(256).optional(),
});

/** Outcome of a command, as the node reports it in `command` of its telemetry. */
export type CommandReport = Readonly<z.infer<typeof reportSchema>>;

/** Longest reason of a report, in characters. */
export const MAX_REASON_CHARS = 256;

/** Reads the report in the data of a telemetry message; undefined where there is none. Any value is safe. */
export function readCommandReport(data: Readonly<Record<string, unknown>>): CommandReport | undefined {
  return reportSchema.safeParse(data.command).data;
}
