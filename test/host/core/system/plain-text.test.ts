import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogView } from "../../../../host/cli/view/log-view.ts";
import { paintLine } from "../../../../host/cli/view/paint.ts";
import { readImage } from "../../../../host/core/image/image-read.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { ConfigError } from "../../../../host/core/system/errors.ts";
import { createOutput, reportFailure } from "../../../../host/core/system/output.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { plainJson, plainLines, plainText } from "../../../../host/core/system/plain-text.ts";
import { createLog } from "../../../../host/telemetry/log.ts";
import { cli, fakeIo } from "../../cli/fake-io.ts";
import { tempFolder } from "../../cli/temp-agent.ts";

/** What a terminal obeys, a log takes for a new line, or an eye for something else. */
const STEERING: readonly (readonly [number, number])[] = [
  ...([
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0xad, 0xad],
    [0x61c, 0x61c],
    [0x200b, 0x200b],
    [0x200e, 0x200f],
  ] as const),
  ...([
    [0x2028, 0x202e],
    [0x2060, 0x2064],
    [0x2066, 0x206f],
    [0xfeff, 0xfeff],
    [0xe0001, 0xe0001],
    [0xe0020, 0xe007f],
  ] as const),
];
const steering = (text: string): string[] =>
  [...text].filter((one) => STEERING.some(([from, to]) => one.codePointAt(0)! >= from && one.codePointAt(0)! <= to));
const evil = fc.string({
  unit: fc.constantFrom(
    ...'ab ü走👍\\"',
    ...[
      "\u001b[2J",
      "\u001b]0;pwned\u0007",
      "\u009b8m",
      "\u0000",
      "\r\nroot:",
      "\n",
      "\t",
      "\b",
      "\u007f",
      "\u0085",
      "\u2028",
      "\u2029",
      "\u202e",
      "\u2066",
      "\u061c",
    ],
    ...["\u{e0041}", "\ufeff", "\ud800", "👩\u200d🚀"],
  ),
  maxLength: 12,
});
const runs = { numRuns: 2000 };

describe("text for a terminal or a log", () => {
  it("whoever wrote it → it steers nothing, stays on its line, and loses nothing that is meant to be read", () => {
    fc.assert(
      fc.property(evil, (text) => {
        expect(steering(plainText(text))).toEqual([]);
      }),
      runs,
    );
    for (const text of ["", "walking 93 %", "walking → sitting · 走る · é", "👩\u200d🚀", "می\u200cخواهم"])
      expect(plainText(text)).toBe(text);
    expect(plainText("\u001b[2J\u{e0041}")).toBe("\\u001b[2J\\udb40\\udc41");
    expect(plainLines("a\u001b\nb\r")).toBe("a\\u001b\nb\\u000d");
  });

  it("as JSON → one line that steers nothing and is read back as the same value", () => {
    fc.assert(
      fc.property(evil, evil, (name, text) => {
        const value = { [name]: [text, 1] };
        expect(steering(plainJson(value))).toEqual([]);
        expect(JSON.parse(plainJson(value))).toEqual(value);
      }),
      runs,
    );
  });

  it("is what the command line says, notes, prints and reports, in a log and on the live screen", () => {
    fc.assert(
      fc.property(evil, (text) => {
        const { io, output } = fakeIo({ env: { DORMOUSE_DEBUG: "1" } });
        const out = createOutput(io, true);
        out.say(text);
        out.note(text);
        out.document({ text });
        const view = createLogView(out, { agent: text } as never, false);
        view.onStep({ kind: "link", state: "offline", detail: text });
        reportFailure(io, new ConfigError("BAD", text), true);
        createLog({ write: io.stderr, wall: () => 0 }).write("info", text, { text });
        const lines = `${output().stdout}${output().stderr}`.split("\n");
        for (const line of lines) expect(steering(line)).toEqual([]);
        expect(steering(paintLine([[text, "bold"]], 60, false))).toEqual([]);
        expect(
          steering(
            paintLine([[text, "dim"]], 60, true)
              .replaceAll("\u001b[2m", "")
              .replaceAll("\u001b[0m", ""),
          ),
        ).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("a model image's own words are shown by inspect, not obeyed", async () => {
    const folder = tempFolder();
    const image = readImage(new Uint8Array(readFileSync(join(packageRoot(), "agents/activity/model.dmm"))));
    const bad = "\u001b]0;pwned\u0007\u009b2J\u202e";
    const labels = image.manifest.labels.map((label) => `${label}${bad}`);
    const provenance = { ...image.manifest.provenance, data: bad, licence: bad };
    const bytes = writeImage({ ...image, manifest: { ...image.manifest, labels, orientation: bad, provenance } });
    writeFileSync(join(folder.path, "bad.dmm"), bytes);
    for (const more of [[], ["--json"]]) {
      const { code, stdout, stderr } = await cli(["inspect", "bad.dmm", ...more], { cwd: folder.path });
      expect(code).toBe(0);
      for (const line of `${stdout}${stderr}`.split("\n")) expect(steering(line)).toEqual([]);
      expect(stdout).toContain("\\u001b");
    }
    folder.remove();
  });
});
