import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../host/core/system/package-root.ts";

/** Dormouse beside a peer, on one workload. */
export interface PeerRow {
  readonly workload: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  /** Theirs over ours: above 1, Dormouse takes less. */
  readonly ratio: number;
  readonly unit: string;
}

/** What `bench:peers` measured, on which machine, of which commit. */
interface PeerResults {
  readonly machine: string;
  readonly commit: string;
  readonly rounds: number;
  readonly rows: readonly PeerRow[];
}

const RESULTS = "test/bench/results/peers.json";
const README = "test/bench/README.md";
const [BEGIN, END] = ["<!-- peers: printed by npm run bench:peers -- --table -->", "<!-- /peers -->"];

/** Rounds as it prints: two decimals below ten, none above. */
export const digits = (value: number): string => value.toFixed(value < 10 ? 2 : 0);

export function readPeerResults(root = packageRoot()): PeerResults {
  return JSON.parse(readFileSync(join(root, RESULTS), "utf8"));
}

export function savePeerResults(results: PeerResults, root = packageRoot()): void {
  writeFileSync(join(root, RESULTS), `${JSON.stringify(results, null, 2)}\n`);
}

/** The results as Markdown, one row per workload and peer. */
export function peerTable({ machine, commit, rounds, rows }: PeerResults): string {
  const lines = rows.map(({ workload, peer, ours, theirs, ratio, unit }) => {
    const compared = theirs > 0 ? [`${digits(theirs)} ${unit}`, `${digits(ratio)} ×`] : ["–", "–"];
    return `| ${[workload, peer, `${digits(ours)} ${unit}`, ...compared].join(" | ")} |`;
  });
  const head = `Beside peers (${machine}, commit ${commit}, ${rounds} rounds in turns). Above 1 × Dormouse takes less; times depend on what else the machine does, ratios less so:`;
  return [head, "", "| workload | peer | Dormouse | the peer | ratio |", "|---|---|---|---|---|", ...lines].join("\n");
}

/** The README with this table between its two marks. */
export function withPeerTable(readme: string, table: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${README} lacks the lines ${BEGIN} and ${END}: add them where the table goes`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${readme.slice(end)}`;
}

export function readPeerReadme(root = packageRoot()): string {
  return readFileSync(join(root, README), "utf8");
}

/** Writes the table of the saved results into the README. */
export function updatePeerReadme(root = packageRoot()): void {
  writeFileSync(join(root, README), withPeerTable(readPeerReadme(root), peerTable(readPeerResults(root))));
}
