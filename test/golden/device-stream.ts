import { encodeCommand } from "../../host/link/command.ts";
import { encodeSetPoint } from "../../host/link/decision.ts";
import { encodeNodeHello } from "../../host/link/hello.ts";
import { createLinkWriter } from "../../host/link/stream.ts";
import { seeded } from "../support/random.ts";

/** The stream of device.dls, for tiny.dmm: every message that a node sends but chunks, noise, gaps, sleep and a save. device-out.dls answers it. */
export function goldenStream(): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => parts.push(bytes));
  const random = seeded(77);
  const frames = (n: number, swing: number) => Int16Array.from({ length: 3 * n }, () => Math.round((random() - 0.5) * swing));
  writer.message("hello", 255, encodeNodeHello({ node: "golden", newTicks: true, unixMillis: 1_700_000_000_000 }));
  writer.message("command", 255, encodeCommand({ verb: "option", option: "hash", value: 1 }));
  writer.message("command", 255, encodeCommand({ verb: "option", option: "notWornTicks", value: 64 }));
  writer.sensor(255, 0, 3, frames(96, 6000));
  parts.push(Uint8Array.of(9, 8, 7, 0));
  writer.message(
    "set-point",
    0,
    encodeSetPoint({ maxExit: 1, hopPatches: 2, askAllowed: false, limitReason: "budget", askIntervalHops: 1, thresholds: [0, 0] }),
  );
  writer.sensor(0, 100, 3, frames(40, 6000)); // 4 lost: held
  writer.sensor(0, 200, 3, frames(40, 6000)); // more: reset
  writer.sensor(255, 240, 3, frames(160, 4)); // on a table: asleep
  writer.sensor(255, 400, 3, frames(60, 6000), "local-sensor"); // and awake again
  writer.message("command", 255, encodeCommand({ verb: "snapshot" }));
  writer.message("command", 0, encodeCommand({ verb: "reset" }));
  writer.message("command", 255, encodeCommand({ verb: "telemetry" }));
  return Buffer.concat(parts);
}
