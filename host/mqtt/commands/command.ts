import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { LIMIT_EXITS, LIMIT_PATCHES } from "../../../assembly/layout.ts";
import { MqttError } from "../../core/system/errors.ts";
import { isName } from "../wire/topics.ts";
import { signEnvelope } from "./signed-envelope.ts";

/** Largest command on `command/{verb}`, in bytes; checked before a byte is decoded. */
export const MAX_COMMAND_BYTES = 4096;

const int = (least: number, most: number) => z.int().min(least).max(most);

/** Parts of the core's set-point; what is left out is as the node has it. */
export const setPointSchema = z.strictObject({
  maxExit: int(0, LIMIT_EXITS - 1).optional(),
  hopPatches: int(1, LIMIT_PATCHES).optional(),
  askAllowed: z.boolean().optional(), // false: never asks; true: as the node decides
  limitReason: z.enum(["none", "budget", "thermal"]).optional(),
  askIntervalHops: int(1, 65_535).optional(),
  thresholds: z.array(int(0, 32_769)).max(LIMIT_EXITS).optional(), // Q15; the core never goes below the certified ones
});

/** The payload of each verb. */
const payloads = {
  /** An empty one takes the last back. */
  "set-point": setPointSchema,
  /** Writes the session's state beside the outbox. */
  snapshot: z.strictObject({}),
  /** Ends the run in good order and begins it anew. */
  reboot: z.strictObject({}),
};

/** Verbs that are planned, and why none is sent or obeyed yet. */
export const PLANNED_VERBS: Readonly<Record<string, string>> = {
  "model-update": "model updates over the air are not built yet: no image would be sent",
};

export type CommandVerb = keyof typeof payloads;
export const COMMAND_VERBS = Object.keys(payloads) as readonly CommandVerb[];
export type CommandPayload<V extends CommandVerb> = z.infer<(typeof payloads)[V]>;

const bodySchema = z.strictObject({
  v: z.literal(1),
  site: z.string().refine(isName, "not a name"),
  node: z.string().refine(isName, "not a name"),
  verb: z.string().max(32),
  /** Rises with every command to a node: the device takes none that is not above the last. */
  counter: int(1, Number.MAX_SAFE_INTEGER),
  /** Wall clock after which it is void. */
  notAfterWallMillis: int(0, Number.MAX_SAFE_INTEGER).optional(),
  payload: z.record(z.string(), z.unknown()),
});

/** A command whose signature, schema and verb are right. */
export type Command = { [V in CommandVerb]: CommandHead & { readonly verb: V; readonly payload: CommandPayload<V> } }[CommandVerb];

/** Which command it is, and whose. */
export interface CommandHead {
  readonly site: string;
  readonly node: string;
  readonly counter: number;
  readonly notAfterWallMillis?: number | undefined;
}

export type ParsedCommand =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly reason: string /** Where that much can be read. */; readonly head?: CommandHead };

/** Reads the body of an opened envelope. */
export function parseCommand(body: Readonly<Record<string, unknown>>): ParsedCommand {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) return { ok: false, reason: issueOf(parsed.error) };
  const { v, verb, payload, ...head } = parsed.data;
  if (Object.hasOwn(PLANNED_VERBS, verb)) return { ok: false, reason: PLANNED_VERBS[verb]!, head };
  if (!Object.hasOwn(payloads, verb)) return { ok: false, reason: `verb ${JSON.stringify(verb)} is not known`, head };
  const checked = payloads[verb as CommandVerb].safeParse(payload);
  if (!checked.success) return { ok: false, reason: `${verb}: ${issueOf(checked.error)}`, head };
  return { ok: true, command: { ...head, verb, payload: checked.data } as Command };
}

/** A command as the bytes of its message. Throws COMMAND_INVALID for one that every node would refuse. */
export function signCommand(command: Command, key: KeyObject): Uint8Array {
  const body = { v: 1, ...command };
  const parsed = parseCommand(body);
  if (!parsed.ok) throw new MqttError("COMMAND_INVALID", `this command cannot be sent: ${parsed.reason}. Mend the named field.`);
  const bytes = signEnvelope("command", body, key);
  if (bytes.length > MAX_COMMAND_BYTES) {
    throw new MqttError("COMMAND_INVALID", `this command has ${bytes.length} B, above the limit of ${MAX_COMMAND_BYTES} B. Send less.`);
  }
  return bytes;
}

function issueOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join(".") || "command"}: ${issue?.message ?? "invalid"}`.slice(0, 200);
}
