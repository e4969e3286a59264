import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../host/core/system/clock.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";
import { table } from "../../../host/core/system/table.ts";
import { commit, machine } from "../machine.ts";
import { benchStart, STARTS, type StartCost } from "../start/start.ts";
import { NATIVE } from "./c-export.ts";
import { digits, type PeerRow, savePeerResults, updatePeerReadme } from "./results.ts";

// npm run bench:peers [-- --json] [-- --rounds N] [-- --save]: Dormouse beside what else one might run, in one process and in turn. --save also writes
// test/bench/results/peers.json and the table of test/bench/README.md; --table measures nothing and writes that table from the saved results.

const args = process.argv.slice(2);
const isJson = args.includes("--json");
const rounds = Number(args[args.indexOf("--rounds") + 1] ?? 31) || 31;
const root = packageRoot();
const peers = join(root, "test/bench/peers");

async function windowRows(): Promise<PeerRow[]> {
  const { timeWindows } = await import("./windows.ts");
  const times = await timeWindows(rounds, (done) => done % 10 === 0 && process.stderr.write(`${done} of ${rounds} rounds of windows.\n`));
  const [ours, ...others] = times;
  return others.map(({ name, micros, ratio }) => ({
    workload: "window of activity, net alone",
    peer: name,
    ours: ours!.micros,
    theirs: micros,
    ratio,
    unit: "µs",
  }));
}

/** From a process's start to its first decision. Measured before the peers are loaded: a child's peak memory begins with its parent's. */
async function startRows(): Promise<PeerRow[]> {
  const { writeOnnx } = await import("../../../host/train/onnx/write-onnx.ts");
  const { loadAgent } = await import("../../../host/agent/registry.ts");
  const folder = mkdtempSync(join(tmpdir(), "dormouse-peers-"));
  try {
    const onnx = writeOnnx(await loadAgent("activity"), folder, "bench").artifacts[0]!.path;
    const library = "first decision, by the library";
    const others = ["first decision, by hand", "onnxruntime-node, first window", "node alone"];
    const args = [join(root, "test/bench/start/by-onnxruntime.mjs"), peers, onnx];
    const starts = benchStart(Math.min(15, rounds), [...STARTS, { name: others[1]!, args, against: library }]);
    const row = (workload: string, peer: string, a: StartCost, b: StartCost, key: "cpuMillis" | "peakMiB", unit: string): PeerRow => ({
      ...{ workload, peer, ours: a[key], theirs: b[key], ratio: b[key] / a[key], unit },
    });
    const by = (name: string) => starts.find((start) => start.name === name)!;
    return [
      ...others.map((name) => row("start to first decision", name, by(library), by(name), "cpuMillis", "ms CPU")),
      ...others.map((name) => row("memory at first decision", name, by(library), by(name), "peakMiB", "MiB")),
      row("dormouse --version", "node alone", by("dormouse --version"), by("node alone"), "cpuMillis", "ms CPU"),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The C export without its LDA head beside the same net in plain float C, each for any x86-64 and for this machine alone. */
async function cExportRows(): Promise<PeerRow[]> {
  const { benchCExport } = await import("./c-export.ts");
  const { times } = await benchCExport(Math.min(9, rounds));
  const by = (name: string) => times.find((time) => time.name === name)!;
  return [
    [by("C export, net alone"), by("plain float C -O3")] as const,
    [by(`C export, net alone ${NATIVE}`), by(`plain float C -Ofast ${NATIVE}`)] as const,
  ].map(([ours, theirs]) => ({
    ...{ workload: "window of activity, C export", peer: theirs.name, ours: ours.micros, theirs: theirs.micros },
    ...{ ratio: theirs.ratio / ours.ratio, unit: "µs" },
  }));
}

/** What must lie on the disk to run one window on this machine, Node itself left out. */
function sizeRows(): PeerRow[] {
  const bytesOf = (folder: string, isWanted: (file: string) => boolean): number =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => isWanted(file) && statSync(join(folder, file)).isFile())
      .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  const ours = statSync(join(root, "dist/core-simd.wasm")).size + statSync(join(root, "agents/activity/model.dmm")).size;
  const native = join(process.platform, process.arch);
  const theirs = {
    "onnxruntime-node": bytesOf(join(peers, "node_modules/onnxruntime-node"), (file) => file.includes(native) || file.startsWith("dist")),
    "onnxruntime-web": bytesOf(join(peers, "node_modules/onnxruntime-web/dist"), (file) =>
      ["ort.node.min.mjs", "ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs"].includes(file),
    ),
    "tfjs wasm": bytesOf(join(peers, "node_modules/@tensorflow"), (file) => /tf-core\.node\.js$|tfjs-backend-wasm-simd\.wasm$/.test(file)),
  };
  return Object.entries(theirs).map(([peer, bytes]) => ({
    ...{ workload: "engine and model on disk", peer, ours: ours / 1e6, theirs: bytes / 1e6, ratio: bytes / ours, unit: "MB" },
  }));
}

/** An ask over a real mosquitto beside a bare request: in full, and what of it is not the teacher's inference, with and without syncing each to disk. */
async function askRows(): Promise<PeerRow[]> {
  const { costAsks } = await import("./asks.ts");
  const io: CliIo = {
    stdout: () => {},
    stderr: (text) => process.stderr.write(text),
    terminal: undefined,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    interrupt: new AbortController().signal,
  };
  const costs = (await costAsks(io, rounds)) ?? [];
  if (costs.length === 0) process.stderr.write("No mosquitto here: asks are not measured.\n");
  return costs.flatMap(({ devices, p50Millis, cpu, inferenceMillis }) => {
    const row = (workload: string, { ours, bare }: { readonly ours: number; readonly bare: number }, unit: string): PeerRow => ({
      ...{ workload: `${workload}, devices: ${devices}`, peer: "bare mqtt.js", ours, theirs: bare, ratio: bare / ours, unit },
    });
    return [
      row("an ask, half within", p50Millis, "ms"),
      ...cpu.map((cost) => row(`an ask, CPU without inference${cost.fsync === "asked" ? ", synced to disk" : ""}`, cost, "ms")),
      row("the teacher's inference of an ask", { ours: inferenceMillis, bare: 0 }, "ms"),
    ];
  });
}

async function measure(): Promise<void> {
  const rows = [...(await startRows()), ...(await askRows()), ...(await windowRows()), ...(await cExportRows()), ...sizeRows()];
  const of = { machine: machine(), commit: commit() };
  if (args.includes("--save")) {
    savePeerResults({ ...of, rounds, rows });
    updatePeerReadme();
  }
  if (isJson) {
    console.log(JSON.stringify(rows));
    return;
  }
  console.log(`${of.machine}, commit ${of.commit}`);
  const cells = rows.map(({ workload, peer, ours, theirs, ratio, unit }) => [
    workload,
    peer,
    `${digits(ours)} ${unit}`,
    `${digits(theirs)} ${unit}`,
    `${ratio.toFixed(2)} ×`,
  ]);
  for (const line of table(["workload", "peer", "Dormouse", "peer's", "ratio"], cells)) console.log(line);
}

if (args.includes("--table")) updatePeerReadme();
else await measure();
process.exit(0);
