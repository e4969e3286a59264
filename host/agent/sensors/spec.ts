import { ConfigError } from "../../core/system/errors.ts";
import { type LinkAddress, parseLinkAddress } from "../../link/link-address.ts";

/** A sensor as the command line names it. */
export type SensorSpec =
  | LinkAddress
  | { readonly kind: "synthetic"; readonly seed: number }
  | { readonly kind: "replay"; readonly path: string; readonly user?: number | string; readonly experiment?: number };

/** The forms of a sensor, for help. */
export const SENSOR_FORMS =
  "synthetic[:SEED], serial:PATH[@BAUD], tcp:HOST:PORT, replay:DIR[#user=1,exp=1] (a folder of the agent's data set), replay:FILE.csv or replay:FILE.dls";
const FORMS =
  "Use synthetic, synthetic:SEED, serial:PATH, serial:PATH@BAUD, tcp:HOST:PORT, replay:DIR, replay:DIR#user=2,exp=3, replay:FILE.csv or replay:FILE.dls.";

/** Parses `serial:PATH[@BAUD]`, `tcp:HOST:PORT`, `synthetic[:seed]`, `replay:DIR[#user=2,exp=3]` (a wearer by number, or by name: `#user=SA01`), `replay:FILE.csv` and `replay:FILE.dls`. */
export function parseSensorSpec(text: string): SensorSpec {
  const address = parseLinkAddress(text);
  if (address !== undefined) return address;
  const [kind, rest] = splitOnce(text, ":");
  if (kind === "synthetic") {
    const seed = rest === undefined ? 1 : Number(rest);
    if (!Number.isInteger(seed) || seed < 0) throw unknown(text, `seed "${rest}" is not a whole number`);
    return { kind, seed };
  }
  if (kind !== "replay" || rest === undefined || rest === "") throw unknown(text, "no such sensor");
  const [path, selection] = splitOnce(rest, "#");
  if (path === "") throw unknown(text, "the path is empty");
  const chosen: { user?: number | string; experiment?: number } = {};
  for (const part of selection?.split(",") ?? []) {
    const [key, value] = splitOnce(part, "=");
    if (key === "user" && /^[A-Za-z]+\d+$/.test(value ?? "")) {
      chosen.user = value!;
      continue;
    }
    const number = Number(value);
    if ((key !== "user" && key !== "exp") || !Number.isInteger(number) || number < 1) throw unknown(text, `"${part}" selects nothing`);
    chosen[key === "exp" ? "experiment" : "user"] = number;
  }
  return { kind, path, ...chosen };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function unknown(text: string, why: string): ConfigError {
  return new ConfigError("SENSOR_UNKNOWN", `sensor "${text}": ${why}. ${FORMS}`);
}
