import { describe, expect, it } from "vitest";
import { peerTable, readPeerReadme, readPeerResults, withPeerTable } from "./results.ts";

describe("the table of peers", () => {
  it("in test/bench/README.md is what the saved results print: npm run bench:peers -- --table", () => {
    const readme = readPeerReadme();
    expect(withPeerTable(readme, peerTable(readPeerResults()))).toBe(readme);
  });

  it("the saved results name machine, commit and, of each row, both figures and their ratio", () => {
    const { machine, commit, rounds, rows } = readPeerResults();
    expect(machine).toMatch(/Node v\d+/);
    expect(commit).toMatch(/^[0-9a-f]{7,40}$/);
    expect(rounds).toBeGreaterThan(0);
    for (const peer of ["onnxruntime-node", "onnxruntime-web", "tfjs wasm", "patch by patch", "bare mqtt.js"])
      expect(rows.some((row) => row.peer.includes(peer))).toBe(true);
    for (const { ours, theirs, ratio } of rows) {
      expect(ours).toBeGreaterThan(0);
      if (theirs > 0 && ratio > 0) expect(ratio / (theirs / ours)).toBeGreaterThan(0.5);
    }
  });

  it("a README without its marks is refused", () => {
    expect(() => withPeerTable("# Tests", "")).toThrow(/lacks the lines/);
  });
});
