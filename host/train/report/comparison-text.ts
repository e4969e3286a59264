import { percentText, table } from "../../core/system/table.ts";
import { spread, spreadText } from "../../eval/seed-summary.ts";
import type { Table } from "../../page/table.ts";
import type { Comparison } from "../comparison.ts";

/** Below so many windows to learn from a label is hardly known. */
const FEW_WINDOWS = 60;
const FEW_SUBJECTS = 8;
/** A label or a subject is worth a word if its share of right answers is so far below the whole. */
const FAR_BELOW = 0.1;

const share = (value: number | null): string => (value === null ? "–" : percentText(value, 1));

/** Majority, baseline and agent, then labels, subjects and events: tables for page and terminal. */
export function comparisonTables(
  comparison: Comparison,
): { readonly title: string; readonly table: Table & { readonly head: string[] } }[] {
  const { majority, baseline, agent, byClass, bySubject, events } = comparison;
  const method = (name: string, own: { accuracy: number; macroF1: number }): string[] => [
    name,
    percentText(own.accuracy, 2),
    percentText(own.macroF1, 2),
  ];
  return [
    {
      title: "Beside simple methods",
      table: {
        head: ["", "right", "macro F1"],
        rows: [method(`always "${majority.label}"`, majority), method("LDA on statistics", baseline), method("agent", agent)],
      },
    },
    {
      title: "By label",
      table: {
        head: ["label", "windows learned", "windows scored", "agent finds", "LDA finds", "mistaken for"],
        rows: byClass.map((own) => [
          ...[own.label, String(own.learned), String(own.windows), share(own.agent), share(own.baseline), own.mistakenFor ?? "–"],
        ]),
      },
    },
    {
      title: "By subject",
      table: {
        head: ["subject", "windows", "agent right", "LDA right"],
        rows: bySubject.map((own) => [own.subject, String(own.windows), share(own.agent), share(own.baseline)]),
      },
    },
    ...(events.length === 0
      ? []
      : [
          {
            title: "Events of rare labels",
            table: {
              head: ["label", "events", "agent finds", "agent: false alarms/h", "LDA finds", "LDA: false alarms/h"],
              rows: events.map((own) => [
                ...[own.agent.label, String(own.agent.events), share(own.agent.sensitivity), rate(own.agent.falseAlarmsPerHour)],
                ...[share(own.baseline.sensitivity), rate(own.baseline.falseAlarmsPerHour)],
              ]),
            },
          },
        ]),
  ];
}

function rate(anHour: number): string {
  return Number(anHour.toPrecision(3)).toString();
}

/** Majority, baseline, agent and events over several seeds, mean ± deviation; of one seed all tables. Lines for a terminal, with what to record next. */
export function comparisonsLines(comparisons: readonly Comparison[], subjects: number): string[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  if (comparisons.length === 1) return comparisonLines(first, subjects);
  const over = (read: (one: Comparison) => number): string => spreadText(spread(comparisons.map(read)));
  const rows = [
    [`always "${first.majority.label}"`, percentText(first.majority.accuracy, 2), percentText(first.majority.macroF1, 2)],
    ["LDA on statistics", percentText(first.baseline.accuracy, 2), percentText(first.baseline.macroF1, 2)],
    ["agent", over(({ agent }) => agent.accuracy), over(({ agent }) => agent.macroF1)],
  ];
  const events = first.events.map(({ agent, baseline }, i) => [
    ...[agent.label, String(agent.events), agent.sensitivity === null ? "–" : over((one) => one.events[i]!.agent.sensitivity!)],
    ...[
      spreadNumber(comparisons.map((one) => one.events[i]!.agent.falseAlarmsPerHour)),
      share(baseline.sensitivity),
      rate(baseline.falseAlarmsPerHour),
    ],
  ]);
  const head = ["label", "events", "agent finds", "agent: false alarms/h", "LDA finds", "LDA: false alarms/h"];
  return [
    "",
    `Beside simple methods, ${first.windows} windows streamed:`,
    ...table(["", "right", "macro F1"], rows),
    ...(events.length > 0 ? ["", "Events of rare labels:", ...table(head, events)] : []),
    "",
    ...recordNext(first, subjects),
  ];
}

function spreadNumber(values: readonly number[]): string {
  const { mean, sd } = spread(values);
  return sd === null ? rate(mean) : `${rate(mean)} ± ${rate(sd)}`;
}

/** The tables as lines for a terminal, and what to record next. */
function comparisonLines(comparison: Comparison, subjects: number): string[] {
  return [
    ...comparisonTables(comparison).flatMap(({ title, table: { head, rows } }) => ["", `${title}:`, ...table(head, rows)]),
    "",
    ...recordNext(comparison, subjects),
  ];
}

/** What more recordings would help most, in sentences. `subjects`: that the agent learned from. */
export function recordNext({ agent, baseline, byClass, bySubject, events }: Comparison, subjects: number): string[] {
  const sentences: string[] = [];
  if (agent.accuracy < baseline.accuracy)
    sentences.push(
      `The agent is ${((baseline.accuracy - agent.accuracy) * 100).toFixed(1)} points below the LDA on statistics: train longer (--steps), or record more.`,
    );
  const few = byClass.filter(({ learned }) => learned < FEW_WINDOWS);
  if (few.length > 0) sentences.push(`Record more of ${few.map(({ label, learned }) => `${label} (${learned} windows)`).join(", ")}.`);
  const scored = byClass.filter(({ agent: own }) => own !== null);
  const worst = [...scored].sort((a, b) => a.agent! - b.agent!)[0];
  if (worst?.mistakenFor && worst.agent! < agent.accuracy - FAR_BELOW)
    sentences.push(
      `Most mistakes are in ${worst.label}: ${share(worst.agent)} found, mistaken for ${worst.mistakenFor}. Record both from more people, or join the two labels.`,
    );
  const hard = [...bySubject].sort((a, b) => a.agent - b.agent)[0];
  if (hard !== undefined && bySubject.length > 1 && hard.agent < agent.accuracy - FAR_BELOW)
    sentences.push(
      `Subject ${hard.subject} is hardest (${share(hard.agent)} right): record more people like them, and check their labels.`,
    );
  const missed = events.find(({ agent: own }) => own.sensitivity !== null && own.sensitivity < 0.9);
  if (missed)
    sentences.push(
      `${missed.agent.events - missed.agent.found} of ${missed.agent.events} events of ${missed.agent.label} are missed: record more of them.`,
    );
  const absent = byClass.filter(({ windows }) => windows === 0);
  if (absent.length > 0)
    sentences.push(`Nothing is known of ${absent.map(({ label }) => label).join(", ")} on others: no window was scored.`);
  if (subjects < FEW_SUBJECTS) sentences.push(`It learned from ${subjects} subjects: more people help most.`);
  return sentences.length > 0 ? sentences : ["No label and no subject is far below the others."];
}
