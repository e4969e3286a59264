// What .ci/package compiles against the packed declarations and then runs: a decision from the installed model, each kind of export.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Decision, Model } from "dormouse-edge";
import { startWorker } from "dormouse-edge/cloud";
import { createLinkDecoder } from "dormouse-edge/firmware";
import { openOutbox } from "dormouse-edge/mqtt";
import { bundledAgents } from "dormouse-edge/run";
import { openRecordings } from "dormouse-edge/train";

const inPackage = (path: string) => fileURLToPath(import.meta.resolve(`dormouse-edge/${path}`));
const model = await Model.open(inPackage("agents/activity/model.dmm"));
const session = model.createSession();
const frame = Int16Array.of(1840, -120, 300, 12, -4, 7);
const decisions: Decision[] = [];
for (let tick = 0; tick < 640; tick++) {
  const { decision } = session.pushFrame(frame, tick);
  if (decision) decisions.push(decision);
}
const board = JSON.parse(readFileSync(inPackage("boards/pico/board.json"), "utf8")) as { id: string };
const coreBytes = readFileSync(inPackage("core.wasm")).length;
// each entry of the package loads, and its declarations are there
const entries = [startWorker, createLinkDecoder, openOutbox, openRecordings].filter((one) => typeof one === "function").length;
console.log(JSON.stringify({ agents: bundledAgents(), board: board.id, coreBytes, decisions: decisions.length, entries }));
