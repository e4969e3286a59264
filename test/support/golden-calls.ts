import { STATUS_BAD_SNAPSHOT } from "../../assembly/layout.ts";
import type { Decision, DecisionWhy, Session, SetPoint } from "../../host/core/session/session-types.ts";

/** One call of the core, as test/host/firmware/portable/portable-golden.c reads it. */
export type GoldenCall =
  | { readonly kind: "frame"; readonly tick: number; readonly frame: Int16Array }
  | { readonly kind: "reset" | "decide" | "logits" | "snapshot" | "back" }
  | { readonly kind: "govern"; readonly setPoint: SetPoint };

const LETTERS = { frame: "f", reset: "r", decide: "d", logits: "l", snapshot: "s", back: "b", govern: "g" } as const;
const WHY: readonly DecisionWhy[] = ["exit", "ask", "deferred", "budget", "thermal"];
const REASONS = { none: 0, budget: 3, thermal: 4 } as const;

/** The calls as bytes. */
export function goldenScript(calls: readonly GoldenCall[]): Uint8Array {
  return Buffer.concat(
    calls.map((call) => {
      const letter = Buffer.from(LETTERS[call.kind]);
      if (call.kind === "frame")
        return Buffer.concat([letter, Buffer.from(Uint32Array.of(call.tick).buffer), Buffer.from(call.frame.slice().buffer)]);
      if (!("setPoint" in call)) return letter;
      const { maxExit, hopPatches, askAllowed, limitReason, askIntervalHops, thresholds } = call.setPoint;
      const words = [maxExit, hopPatches, askAllowed ? 1 : 0, REASONS[limitReason], askIntervalHops, ...thresholds];
      return Buffer.concat([letter, Buffer.from(Int32Array.from(words).buffer)]);
    }),
  );
}

function fnv(bytes: Uint8Array): number {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0;
}

const decisionLine = (d: Decision): string =>
  `d ${d.label} ${d.exit} ${d.confidenceQ15} ${WHY.indexOf(d.why)} ${d.tick} ${d.patch} ${d.macs} ${d.rebuilds} ${d.steps}`;

/** What the program must print, from a session of the host. */
export function goldenOutput(session: Session, firstLabel: string, calls: readonly GoldenCall[]): string {
  const lines = [`init 0 ${firstLabel}`];
  let kept = session.snapshot();
  for (const call of calls) {
    if (call.kind === "frame") {
      const r = session.pushFrame(call.frame, call.tick);
      const flags = (r.decision ? 2 : 0) | (r.held ? 4 : 0) | (r.reset ? 8 : 0) | (r.ignored ? 16 : 0);
      if (flags !== 0) lines.push(`f ${flags | (r.patch ? 1 : 0)}`);
      if (r.decision) lines.push(decisionLine(r.decision));
    } else if (call.kind === "reset") session.reset();
    else if (call.kind === "decide") lines.push(decisionLine(session.decide()));
    else if (call.kind === "logits") lines.push(["l", ...session.logits().flatMap((row) => [...row])].join(" "));
    else if (call.kind === "snapshot") {
      kept = session.snapshot();
      lines.push(`s 0 ${fnv(kept)}`);
    } else if (call.kind === "back") {
      session.restore(kept);
      lines.push("b 0");
    } else if ("setPoint" in call) {
      session.setPoint(call.setPoint);
      lines.push("g 0");
    }
  }
  return [...lines, "torn 1 misaligned -1", `damaged ${STATUS_BAD_SNAPSHOT}`, ""].join("\n");
}

/** Windows from reset, each decided and read out at its end: golden windows. */
export function windowCalls(windows: readonly (readonly Int16Array[])[]): GoldenCall[] {
  return windows.flatMap((frames) => [
    { kind: "reset" as const },
    ...frames.map((frame, tick) => ({ kind: "frame" as const, tick: tick + 1, frame })),
    { kind: "decide" as const },
    { kind: "logits" as const },
    { kind: "snapshot" as const },
  ]);
}
