import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LINK_DEVICE } from "../../assembly/device/layout.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../host/data/synthetic.ts";
import { createLinkWriter } from "../../host/link/stream.ts";

// Writes recordings of a device's link, as a serial port would give them: <out>/<person>-<label>.dls, each person of a seed of its own.
// node write-wearers.js <synthetic.json> <out> <persons> <seconds> <label>…

const [parametersPath = "", out = "", persons, seconds, ...labels] = process.argv.slice(2);
const parameters = JSON.parse(readFileSync(parametersPath, "utf8")) as SyntheticParameters;
for (let person = 1; person <= Number(persons); person++)
  for (const label of labels) {
    const wearer = createSyntheticWearer({ parameters, seed: person, schedule: [{ label, seconds: Number(seconds) }] });
    const chunks: Uint8Array[] = [];
    const writer = createLinkWriter((bytes) => void chunks.push(bytes.slice()));
    for (let tick = 0; tick < Number(seconds) * parameters.frameRateHz; tick++) writer.sensor(LINK_DEVICE, tick, 6, wearer.next().frame);
    writeFileSync(join(out, `${person}-${label}.dls`), Buffer.concat(chunks));
  }
