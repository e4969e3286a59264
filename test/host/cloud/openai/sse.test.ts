import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSseReader } from "../../../../host/cloud/openai/sse.ts";

function eventsOf(...pieces: string[]) {
  const reader = createSseReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

describe("the reader of event streams", () => {
  it("gives each event's data whatever the packets, line ends and comments", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ -~äöü]{0,20}$/), { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.constantFrom("data: ", "data:"),
        fc.integer({ min: 1, max: 30 }),
        (events, end, field, packet) => {
          const sent = field === "data:" ? events.map((event) => event.replace(/^ /, ".")) : events;
          const text = sent.map((event) => `: hm${end}event: x${end}id: 1${end}retry: 5${end}${field}${event}${end}${end}`).join("");
          const pieces = text.match(new RegExp(`[\\s\\S]{1,${packet}}`, "g")) ?? [];
          expect(eventsOf(...pieces)).toEqual(sent.map((data) => ({ isError: false, data })));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("ends the last event with the stream, line end or not", () => {
    expect(eventsOf("data: a\n\ndata: [DONE]")).toEqual([
      { isError: false, data: "a" },
      { isError: false, data: "[DONE]" },
    ]);
  });

  it("names errors by the event's name and by llama.cpp's field", () => {
    expect(eventsOf("event: error\ndata: {}\n\nerror: {}\n\ndata: 1\n\n")).toEqual([
      { isError: true, data: "{}" },
      { isError: true, data: "{}" },
      { isError: false, data: "1" },
    ]);
  });

  it("keeps a bounded part of what is no field", () => {
    const reader = createSseReader();
    reader.push('{"error":\n');
    for (let i = 0; i < 1000; i++) reader.push(`${"x".repeat(100)}\n`);
    expect(reader.stray.startsWith('{"error":\n')).toBe(true);
    expect(reader.stray.length).toBeLessThan(4096 + 102);
  });
});
