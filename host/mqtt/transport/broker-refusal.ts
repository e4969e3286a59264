import { type Packet, ReasonCodes } from "mqtt";
import { plainJson } from "../../core/system/plain-text.ts";
import { isLastingRefusal } from "./broker-offer.ts";

/** Why a connection ended. */
export interface Loss {
  readonly why: string;
  /** The next try will meet it again: it can wait. */
  readonly isLasting: boolean;
  /** A problem that a person has to fix; reported once. */
  readonly notice?: { readonly code: "NAME_TAKEN" | "BROKER_TOO_OLD"; readonly message: string };
}

/** Closures in a row, without a reason, from which on their likely cause is named. */
export const TELLING_CLOSURES = 3;

const SESSION_TAKEN_OVER = 0x8e;
const UNSUPPORTED_PROTOCOL = 0x84;
/** Codes below are return codes of MQTT 3.1.1: an MQTT 5 broker refuses with 0x80 and above. */
const LEAST_REFUSAL = 0x80;
const MAX_TEXT_CHARS = 200;

/** Why a CONNACK or DISCONNECT ended the connection; undefined for every other packet and for an accepting CONNACK. */
export function readLoss(packet: Packet, clientId: string): Loss | undefined {
  if (packet.cmd !== "connack" && packet.cmd !== "disconnect") return undefined;
  const code = packet.reasonCode ?? 0;
  if (packet.cmd === "connack" && code === 0) return undefined;
  if (packet.cmd === "connack" && (code < LEAST_REFUSAL || code === UNSUPPORTED_PROTOCOL)) {
    const why = `the broker refuses MQTT 5 (code 0x${hex(code)}): it speaks MQTT 3.1.1 alone`;
    return { why, isLasting: true, notice: tooOld(why) };
  }
  const name = ReasonCodes[code as keyof typeof ReasonCodes] || "no reason";
  const did = packet.cmd === "connack" ? "the broker refused the connection" : "the broker disconnected";
  const why = `${did}: ${name} (0x${hex(code)})${toldIn(packet.properties)}`;
  if (code === SESSION_TAKEN_OVER) return takenOver(clientId, why);
  return { why, isLasting: isLastingRefusal(code) };
}

/** The loss of a connection whose name another client uses: both would throw each other out, so this one waits. */
export function takenOver(clientId: string, evidence: string): Loss {
  const why = `another client uses the name ${clientId}: ${evidence}`;
  const mend = "Each node needs a name of its own: stop the other one, or give one of them another name (node in dormouse.json).";
  return { why, isLasting: true, notice: { code: "NAME_TAKEN", message: `${why}. ${mend}` } };
}

/** The loss of a connection that the broker closed on CONNECT itself, as it always has; a proxy before a dead broker does so, too. */
export function closedOnConnect(): Loss {
  const why = "the broker closes every connection on CONNECT: it may speak MQTT 3.1.1 alone";
  return { why, isLasting: false, notice: tooOld(why) };
}

/** What the broker adds in words: reason string and server reference, made safe to print. */
export function toldIn(properties: { readonly reasonString?: string; readonly serverReference?: string } | undefined): string {
  const { reasonString, serverReference } = properties ?? {};
  return `${reasonString ? `: ${shown(reasonString)}` : ""}${serverReference ? `; it names another server: ${shown(serverReference)}` : ""}`;
}

function tooOld(why: string) {
  return { code: "BROKER_TOO_OLD", message: `${why}. Use a broker that speaks MQTT 5, such as mosquitto 1.6 or later.` } as const;
}

function shown(text: string): string {
  return plainJson(text.slice(0, MAX_TEXT_CHARS));
}

function hex(code: number): string {
  return code.toString(16).padStart(2, "0");
}
