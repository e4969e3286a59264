import type { SuspicionLoopStep } from "../../agent/loop-types.ts";
import { verdictText } from "../../agent/suspicion-text.ts";
import { joinedToFit, percentText } from "../../core/system/table.ts";
import { AMBER, GREEN, type Line, measureWidth, RED, type Segment, type Style } from "./paint.ts";
import { labelColour } from "./render-ribbon.ts";
import type { ViewState } from "./view-state.ts";

/** From here on the last question is marked as old news. */
const OLD_SECONDS = 5;

/** ● online  12 asked · 11 answered · 1 waiting */
export function cloudLine({ info, link, linkDetail, counters }: ViewState, columns: number): Line {
  if (!info.hasBroker)
    return [
      ["○ none", "dim"],
      ["  no broker given: it never asks", "dim"],
    ];
  const state: Segment[] =
    link === "online"
      ? [["● online", GREEN]]
      : link === "connecting"
        ? [["◐ connecting", AMBER]]
        : [
            ["○ offline", RED],
            [` decides alone${linkDetail === undefined ? "" : `: ${linkDetail}`}`, "dim"],
          ];
  if (counters === undefined) return state;
  const parts = [`${counters.asked} asked`, `${counters.answered} answered`];
  for (const key of ["expired", "refused", "evicted"] as const) if (counters[key] > 0) parts.push(`${counters[key]} ${key}`);
  if (counters.pending > 0) parts.push(`${counters.pending} waiting`);
  return [...state, [`  ${joinedToFit(parts, columns - measureWidth(state) - 2)}`]];
}

/** unsure: sitting → asked → cloud says standing 93 % in 34 ms. On two lines if one is too short. */
export function askLine({ info, lastAsk, suspicion, counters, seconds }: ViewState, columns: number): Line[] {
  if (!info.hasBroker) return [];
  if (suspicion !== undefined) return suspicionLines();
  if (counters?.suspicions !== undefined && lastAsk === undefined) return [[["nothing was suspected so far", "dim"]]];
  if (lastAsk === undefined) return [[["sure so far: nothing was asked", "dim"]]];
  const question: Segment[] = [
    ["unsure: ", "dim"],
    [lastAsk.label, labelColour(info.labels, lastAsk.label)],
    [" → asked → ", "dim"],
  ];
  const reply = replySegments();
  const line = [...question, ...reply];
  const age = Math.round(seconds - lastAsk.tick / info.rateHz);
  const aged: Line = [...line, [`, ${age} s ago`, "dim"]];
  if (age >= OLD_SECONDS && measureWidth(aged) <= columns) return [aged];
  return measureWidth(line) <= columns ? [line] : [question, reply];

  /** suspicion 3: fall 34 % → the cloud says daily 97 % in 34 ms: dismissed. On two lines if one is too short. */
  function suspicionLines(): Line[] {
    const { number, label, probability, state, tick } = suspicion!;
    const head: Line = [
      [`suspicion ${number}: `, "dim"],
      [label, labelColour(info.labels, label)],
      [` ${percentText(probability)} → `, "dim"],
    ];
    const tail: Line = [[verdictText(suspicion!, info.labels), ...verdictStyle(suspicion!)]];
    const age = Math.round(seconds - tick / info.rateHz);
    const isOld = age >= OLD_SECONDS && state !== "waiting" && state !== "asked";
    const line: Line = [...head, ...tail, ...(isOld ? ([[`, ${age} s ago`, "dim"]] as const) : [])];
    return measureWidth(line) <= columns ? [line] : [head, tail];
  }

  function replySegments(): Segment[] {
    if (lastAsk!.end === undefined) return [["waiting …", AMBER]];
    if (lastAsk!.end !== "answered") return [[`${lastAsk!.end}${lastAsk!.reason === undefined ? "" : `: ${lastAsk!.reason}`}`, RED]];
    const answer = lastAsk!.answer ?? "?";
    return [
      ["cloud: ", "dim"],
      [answer, "bold", labelColour(info.labels, answer)],
      [` ${percentText(lastAsk!.answerConfidence ?? 0)}`],
      [` in ${Math.round(lastAsk!.latencyMillis ?? 0)} ms`, "dim"],
    ];
  }
}

function verdictStyle({ state, isOwn }: SuspicionLoopStep): Style[] {
  if (state === "waiting" || state === "asked") return [AMBER];
  if (state === "told" || isOwn) return [RED, "bold"];
  return state === "dismissed" ? [GREEN] : [];
}
