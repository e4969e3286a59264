/** One server-sent event. `isError`: its name is `error`, or it came in a field of that name, as llama.cpp once sent it. */
export interface SseEvent {
  readonly isError: boolean;
  readonly data: string;
}

/** Splits an event stream into events as its text arrives. Any text is safe, and its splitting into pieces changes nothing. */
export interface SseReader {
  /** The lines that belong to no field, bounded: some servers end a stream with a bare JSON object. */
  readonly stray: string;
  /** The events that this text completes. */
  push(text: string): SseEvent[];
  /** The event that was still open when the stream ended. */
  end(): SseEvent[];
}

const MAX_STRAY_CHARS = 4096;
/** Of a stream: everything else on a line of its own is stray. */
const OTHER_FIELDS: readonly string[] = ["id", "retry", ""];

/** Source: WHATWG HTML, §9.2.6 (event stream interpretation), except that the end of the stream ends the last event too. */
export function createSseReader(): SseReader {
  let line = "";
  let isAfterCr = false; // a line feed right after belongs to the same line end
  let data: string[] = [];
  let isError = false;
  let stray = "";

  function take(events: SseEvent[]): void {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (line === "") dispatch(events);
    else if (field === "data") data.push(value);
    else if (field === "event") isError ||= value.trim() === "error";
    else if (field === "error") {
      data.push(value);
      isError = true;
    } else if (!OTHER_FIELDS.includes(field) && stray.length < MAX_STRAY_CHARS) stray += `${line.slice(0, MAX_STRAY_CHARS)}\n`;
    line = "";
  }

  function dispatch(events: SseEvent[]): void {
    if (data.length > 0) events.push({ isError, data: data.join("\n") });
    data = [];
    isError = false;
  }

  return {
    get stray() {
      return stray;
    },
    push(text) {
      const events: SseEvent[] = [];
      if (text === "") return events;
      let from = isAfterCr && text.startsWith("\n") ? 1 : 0;
      isAfterCr = text.endsWith("\r");
      for (const end of text.matchAll(/\r\n?|\n/g)) {
        if (end.index < from) continue;
        line += text.slice(from, end.index);
        from = end.index + end[0].length;
        take(events);
      }
      line += text.slice(from);
      return events;
    },
    end() {
      const events: SseEvent[] = [];
      if (line !== "") take(events);
      dispatch(events);
      return events;
    },
  };
}
