import { countText, elapsedText, percentText } from "../../core/system/table.ts";
import type { AnswerMessage, AskRow, EventRow } from "../messages.ts";
import { byId, create, post, setAttribute, setText } from "./dom.ts";
import type { RunState } from "./run-state.ts";

const ROWS = 8;
const EVENT_ROWS = 12;
const ANSWERS = 4;
const WARNINGS = new Set(["anomaly", "gap", "sensor-fault"]);

/** Whether the broker is reached; while it is not, when the next try is. */
export function drawLink({ status, info }: RunState): void {
  const pill = byId("link");
  const { state, retryMillis } = status.link;
  setAttribute(pill, "data-state", info.hasBroker ? state : "none");
  const next = retryMillis >= 0 ? `, next try in ${Math.ceil(retryMillis / 1000)} s` : "";
  setText(
    pill,
    !info.hasBroker ? "no broker" : state === "online" ? "broker online" : state === "connecting" ? "connecting" : `offline${next}`,
  );
}

/** The outbox in words, and the demo's button. */
export function drawOutbox({ status, info }: RunState): void {
  const { counters, oldestAskMillis } = status;
  const { asked, answered, pending } = counters;
  const ends = (["expired", "refused", "evicted"] as const).filter((end) => counters[end] > 0).map((end) => `${counters[end]} ${end}`);
  setText(byId("asks-of"), [`${asked} asked`, `${answered} answered`, ...ends].join(", "));
  const oldest = oldestAskMillis < 0 ? "" : `, the oldest for ${Math.round(oldestAskMillis / 1000)} s`;
  setText(byId("outbox-text"), pending === 0 ? "Nothing waits in the outbox." : `${countText(pending, "ask")} in the outbox${oldest}.`);
  const button = byId("broker");
  button.hidden = !info.controls.canSwitchBroker;
  setText(button, status.isBrokerUp ? "Take the broker away" : "Bring the broker back");
}

const USES: Readonly<Record<string, string>> = {
  applied: "changed the label",
  confirmed: "agreed",
  kept: "device was surer",
  superseded: "too late to matter",
  told: "alarm confirmed",
  dismissed: "alarm dismissed",
};

/** The last asks up to the time that the reader looks at, newest first. */
export function drawAsks(run: RunState, onPick: (seconds: number) => void): void {
  const body = byId("asks").querySelector("tbody")!;
  const rows = run.asks
    .filter(({ seconds }) => seconds <= run.at + run.info.hopSeconds)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, ROWS);
  while (body.childElementCount > rows.length) body.lastElementChild!.remove();
  for (const [i, row] of rows.entries()) {
    let line = body.children[i];
    if (line === undefined) {
      line = body.appendChild(create("tr"));
      const button = create("button");
      button.type = "button";
      button.addEventListener("click", () => onPick(Number(button.dataset.seconds)));
      const first = create("td");
      first.append(button);
      line.append(first, create("td"), create("td"), create("td"));
    }
    const button = line.querySelector("button")!;
    setAttribute(button, "data-seconds", String(row.seconds));
    setText(button, elapsedText(row.seconds));
    const cloud = row.answer < 0 ? "" : ` → ${run.labelText(row.answer)} ${percentText(row.answerConfidence)}`;
    setText(line.children[1]!, `${run.labelText(row.label)} ${percentText(row.confidence)}${cloud}`);
    const end = line.children[2]!;
    setText(end, askEnd(row));
    end.className = row.use === "applied" ? "changed" : row.state === "answered" || row.state === "open" ? "" : "bad";
    setText(line.children[3]!, row.state === "open" ? "…" : String(Math.round(row.millis)));
  }
}

function askEnd({ state, use, reason }: AskRow): string {
  if (state === "open") return "waiting";
  if (state === "answered") return USES[use] ?? "answered";
  return reason === "" ? state : `${state}: ${reason}`;
}

export function drawEvents(run: RunState): void {
  const list = byId("events");
  const rows = run.events
    .filter(({ seconds }) => seconds <= run.at)
    .slice(-EVENT_ROWS)
    .reverse();
  const key = (row: EventRow | undefined): string => (row === undefined ? "" : `${rows.length} ${row.seconds} ${row.text}`);
  if (list.dataset.key === key(rows[0])) return;
  list.dataset.key = key(rows[0]);
  list.replaceChildren(
    ...rows.map(({ seconds, kind, text }) => {
      const item = create("li", "", WARNINGS.has(kind) ? "warn" : "");
      item.append(create("time", elapsedText(seconds)), create("span", text));
      return item;
    }),
  );
}

/** The button that takes the demo's broker away, and the assistant's box. `onTrouble` gets what the server refuses. */
export function watchCloud(run: () => RunState | undefined, onTrouble: (reason: string) => void): void {
  const button = byId<HTMLButtonElement>("broker");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await post("broker", { isUp: !run()?.status.isBrokerUp }).catch((error: Error) => onTrouble(error.message));
    button.disabled = false;
  });
  const input = byId<HTMLInputElement>("question");
  byId("question-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const question = input.value.trim() === "" ? input.placeholder : input.value;
    input.value = "";
    const item = create("div");
    item.append(create("q", question), create("p", "…"));
    const list = byId("answers");
    list.prepend(item);
    while (list.childElementCount > ANSWERS) list.lastElementChild!.remove();
    try {
      const { text, by, why, intent, probability, millis } = await post<AnswerMessage>("question", { text: question });
      setText(item.lastElementChild!, text);
      const meant = intent === null ? [] : [`${intent} ${percentText(probability)}`];
      item.append(create("small", [`by the ${by}`, ...meant, why, `${millis.toFixed(millis < 10 ? 1 : 0)} ms`].join(" · ")));
    } catch (error) {
      setText(item.lastElementChild!, (error as Error).message);
    }
  });
}
