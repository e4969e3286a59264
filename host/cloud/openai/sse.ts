/** Longest reply that is read, streamed or whole. */
export const MAX_REPLY_BYTES = 262_144;

/** Takes server-sent events apart as their bytes come: the `data` of each, in order. Any bytes are safe; the work is bounded by the reply's size. */
export interface SseReader {
  /** The events that these bytes complete. */
  push(bytes: Uint8Array): string[];
}

/** Source: WHATWG HTML, §9.2.6 (event stream interpretation); only `data` fields matter here. */
export function createSseReader(): SseReader {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  return {
    push(bytes) {
      const events: string[] = [];
      rest += decoder.decode(bytes, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) events.push(data.join("\n"));
          data = [];
        } else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      }
      return events;
    },
  };
}
