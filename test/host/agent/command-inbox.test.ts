import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type CommandActions, type CommandReport, createCommandInbox } from "../../../host/agent/command-inbox.ts";
import { ConfigError } from "../../../host/core/errors.ts";
import { encodeCanonical } from "../../../host/mqtt/commands/canonical-cbor.ts";
import { type Command, MAX_COMMAND_BYTES, signCommand } from "../../../host/mqtt/commands/command.ts";
import { type CommandStore, memoryCommandStore, openCommandStore } from "../../../host/mqtt/commands/command-store.ts";
import { flawOfImage, type ModelManifest, manifestOfImage, signModelManifest } from "../../../host/mqtt/commands/model-manifest.ts";
import { signEnvelope } from "../../../host/mqtt/commands/signed-envelope.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const operator = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const folder = mkdtempSync(join(tmpdir(), "dormouse-commands-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const command = (over: Partial<Record<keyof Command, unknown>> = {}): Command =>
  ({ site: "lab", node: "wrist-1", verb: "set-point", counter: 5, payload: { maxExit: 1 }, ...over }) as Command;

let clock: ManualClock;
let done: string[];
let told: CommandReport[];
beforeEach(() => {
  clock = new ManualClock();
  done = [];
  told = [];
});

function inbox(store: CommandStore = memoryCommandStore(), actions: Partial<CommandActions> = {}) {
  const act = (name: string) => (what?: unknown) => {
    done.push(`${name} ${JSON.stringify(what)}`);
    return undefined;
  };
  return createCommandInbox({
    ...{ site: "lab", node: "wrist-1", agent: "activity", key: operator.publicKey, store, clock },
    actions: { setPoint: act("set-point"), snapshot: act("snapshot"), reboot: act("reboot"), modelUpdate: act("model-update"), ...actions },
    tell: (report) => told.push(report),
  });
}

const sent = (bytes: Uint8Array, verb = "set-point") => ({ topic: `dormouse/v1/lab/wrist-1/command/${verb}`, payload: bytes });
const signed = (over: Partial<Record<keyof Command, unknown>> = {}, key = operator.privateKey) => signCommand(command(over), key);

describe("signed commands", () => {
  it("obeys what the operator signed for this node, and says so", () => {
    const box = inbox();
    box.receive(sent(signed()));
    box.receive(sent(signed({ counter: 6, verb: "reboot", payload: {} }), "reboot"));
    expect(done).toEqual(['set-point {"maxExit":1}', "reboot undefined"]);
    expect(told).toEqual([
      { verb: "set-point", counter: 5, result: "obeyed" },
      { verb: "reboot", counter: 6, result: "obeyed" },
    ]);
    expect(box.counts().obeyed).toBe(2);
  });

  it.each<[string, Uint8Array, string]>([
    ["unsigned", signed({}, stranger.privateKey), "set-point"],
    ["unsigned", signEnvelope("model-manifest", { v: 1, ...command() }, operator.privateKey), "set-point"],
    ["wrong-node", signed({ node: "wrist-2" }), "set-point"],
    ["wrong-node", signed({ site: "home" }), "set-point"],
    ["wrong-verb", signed(), "reboot"],
    ["older", signed({ counter: 3 }), "set-point"],
    ["replayed", signed({ counter: 4 }), "set-point"],
    ["late", signed({ notAfterWallMillis: 1000 }), "set-point"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, verb: "dance" }, operator.privateKey), "dance"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, payload: { maxExit: 99 } }, operator.privateKey), "set-point"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, more: 1 }, operator.privateKey), "set-point"],
  ])("counts as %s and does not obey case %#", (refusal, bytes, verb) => {
    const store = memoryCommandStore({ counter: 4, modelCounters: {}, setPoint: {} });
    const box = inbox(store);
    box.receive(sent(bytes, verb));
    expect(done).toEqual([]);
    expect(box.counts()).toMatchObject({ obeyed: 0, [refusal]: 1 });
    expect(store.state.counter).toBe(4);
  });

  it("refuses the same command a second time, also after a restart, and every older one", () => {
    const path = join(folder, "restart.json");
    inbox(openCommandStore(path)).receive(sent(signed()));
    const again = inbox(openCommandStore(path));
    again.receive(sent(signed()));
    again.receive(sent(signed({ counter: 2, verb: "reboot", payload: {} }), "reboot"));
    again.receive(sent(signed({ counter: 6, verb: "snapshot", payload: {} }), "snapshot"));
    expect(done).toEqual(['set-point {"maxExit":1}', "snapshot 6"]);
    expect(again.counts()).toMatchObject({ obeyed: 1, replayed: 1, older: 1 });
    expect(openCommandStore(path).state).toMatchObject({ counter: 6, setPoint: { maxExit: 1 } });
  });

  it("refuses a command with any one bit flipped: none gets as far as its counter", () => {
    const bytes = signed();
    const box = inbox();
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const altered = Uint8Array.from(bytes);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      box.receive(sent(altered));
    }
    expect(done).toEqual([]);
    expect(box.counts()).toMatchObject({ unsigned: 8 * bytes.length, obeyed: 0 });
    box.receive(sent(bytes));
    expect(box.counts().obeyed).toBe(1);
  });

  it("counts any bytes, and cut, doubled or joined commands, and never throws", () => {
    const box = inbox();
    let sentCount = 0;
    const whole = Buffer.from(signed());
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(whole.length - 1).map((end) => whole.subarray(0, end)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((tail) => Buffer.concat([whole, tail])),
      fc
        .record({ body: fc.uint8Array({ maxLength: 60 }), signature: fc.uint8Array({ minLength: 64, maxLength: 64 }) })
        .map((parts) => encodeCanonical({ v: 1, kind: "command", ...parts })),
    );
    fc.assert(
      fc.property(bytes, (payload) => {
        box.receive(sent(payload));
        sentCount++;
      }),
      { numRuns: 5000 },
    );
    expect(done).toEqual([]);
    expect(Object.values(box.counts()).reduce((a, b) => a + b, 0)).toBe(sentCount);
  });

  it("refuses what is too large before it looks at a byte", () => {
    const box = inbox();
    box.receive(sent(new Uint8Array(MAX_COMMAND_BYTES + 1)));
    expect(box.counts().unsigned).toBe(1);
  });

  it("does not obey what the disk cannot remember", () => {
    const full: CommandStore = openCommandStore(join(folder, "no-such-folder", "commands.json"));
    const box = inbox(full);
    box.receive(sent(signed()));
    expect(done).toEqual([]);
    expect(box.counts()["not-stored"]).toBe(1);
  });

  it("does nothing that a disk which fills up after the counter cannot remember, and keeps nothing that was not done", () => {
    const store = memoryCommandStore({ counter: 1, modelCounters: {}, setPoint: { hopPatches: 8 } });
    let room = 1;
    const filling: CommandStore = {
      get state() {
        return store.state;
      },
      commit(next) {
        if (room-- === 0) throw new ConfigError("FILE_UNWRITABLE", "cannot write: ENOSPC.");
        store.commit(next);
      },
    };
    const image = manifestOfImage(Buffer.alloc(1000, 7), "activity", 7);
    const box = inbox(filling);
    box.receive(sent(signed()));
    room = 1;
    const payload = { manifest: signModelManifest(image, operator.privateKey) };
    box.receive(sent(signed({ verb: "model-update", counter: 6, payload }), "model-update"));
    expect(done).toEqual([]);
    expect(box.counts()).toMatchObject({ obeyed: 0, "not-done": 2 });
    room = 3;
    inbox(filling, { setPoint: () => "maxExit 1 is beyond this model" }).receive(sent(signed({ counter: 7 })));
    expect(store.state).toEqual({ counter: 7, modelCounters: {}, setPoint: { hopPatches: 8 } });
  });

  it("says why a node could not do it, once in a while: a flood of replays keeps no radio on", () => {
    const box = inbox(memoryCommandStore(), { setPoint: () => "maxExit 1 is beyond this model" });
    box.receive(sent(signed()));
    expect(told).toEqual([
      { verb: "set-point", counter: 5, result: "refused", refusal: "not-done", reason: "maxExit 1 is beyond this model" },
    ]);
    for (let i = 0; i < 100; i++) box.receive(sent(signed()));
    expect(told).toHaveLength(1);
    clock.advance(10_000);
    box.receive(sent(signed()));
    expect(told.at(-1)).toMatchObject({ refusal: "replayed" });
    expect(box.counts()).toMatchObject({ "not-done": 1, replayed: 101 });
  });

  it("refuses a counters' file that it cannot read, rather than to begin again at 0", () => {
    const path = join(folder, "torn.json");
    inbox(openCommandStore(path)).receive(sent(signed()));
    writeFileSync(path, readFileSync(path).subarray(0, 20));
    expect(() => openCommandStore(path)).toThrow(/command counters/);
  });
});

describe("signed model updates", () => {
  const image = Buffer.alloc(1000, 7);
  const update = (manifest: ModelManifest, counter: number, key = operator.privateKey) =>
    sent(signed({ verb: "model-update", counter, payload: { manifest: signModelManifest(manifest, key) } }), "model-update");

  it("takes a newer manifest for its agent and core, and none that is older, foreign or another's", () => {
    const store = memoryCommandStore();
    const box = inbox(store);
    const release = manifestOfImage(image, "activity", 7);
    box.receive(update(release, 10));
    expect(done).toHaveLength(1);
    expect(store.state.modelCounters).toEqual({ activity: 7 });
    box.receive(update(release, 11)); // a new command with the old manifest: a roll back
    box.receive(update({ ...release, counter: 8, agent: "fall" }, 12));
    box.receive(update({ ...release, counter: 8, abiHash: 1 }, 13));
    box.receive(update({ ...release, counter: 8 }, 14, stranger.privateKey));
    expect(done).toHaveLength(1);
    expect(box.counts()).toMatchObject({ obeyed: 1, "not-done": 4 });
    expect(told[1]).toMatchObject({ refusal: "not-done", reason: expect.stringContaining("older") });
  });

  it("knows the image that was signed from any other", () => {
    const manifest = manifestOfImage(image, "activity", 1);
    expect(flawOfImage(manifest, image)).toBeUndefined();
    expect(flawOfImage(manifest, image.subarray(1))).toContain("999 B arrived");
    const altered = Buffer.from(image);
    altered[500]! ^= 1;
    expect(flawOfImage(manifest, altered)).toContain("was signed");
  });
});
