import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type CommandActions, createCommandInbox } from "../../../host/agent/command-inbox.ts";
import { openNodeCommands } from "../../../host/agent/node-commands.ts";
import { ConfigError } from "../../../host/core/system/errors.ts";
import { encodeCanonical } from "../../../host/mqtt/commands/canonical-cbor.ts";
import { type Command, MAX_COMMAND_BYTES, signCommand } from "../../../host/mqtt/commands/command.ts";
import type { CommandReport } from "../../../host/mqtt/commands/command-report.ts";
import { type CommandStore, memoryCommandStore, openCommandStore } from "../../../host/mqtt/commands/command-store.ts";
import { createCommandRefuser } from "../../../host/mqtt/commands/refuse-commands.ts";
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
    return {};
  };
  return createCommandInbox({
    ...{ site: "lab", node: "wrist-1", key: operator.publicKey, store, clock },
    actions: { setPoint: act("set-point"), snapshot: act("snapshot"), reboot: act("reboot"), ...actions },
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
      { verb: "set-point", counter: 5, result: "obeyed", effect: {} },
      { verb: "reboot", counter: 6, result: "obeyed", effect: {} },
    ]);
    expect(box.counts().obeyed).toBe(2);
  });

  it.each<[string, Uint8Array, string]>([
    ["unsigned", signed({}, stranger.privateKey), "set-point"],
    ["unsigned", signEnvelope("other" as "command", { v: 1, ...command() }, operator.privateKey), "set-point"],
    ["wrong-node", signed({ node: "wrist-2" }), "set-point"],
    ["wrong-node", signed({ site: "home" }), "set-point"],
    ["wrong-verb", signed(), "reboot"],
    ["older", signed({ counter: 3 }), "set-point"],
    ["replayed", signed({ counter: 4 }), "set-point"],
    ["ahead", signed({ counter: Number.MAX_SAFE_INTEGER }), "set-point"],
    ["ahead", signed({ counter: 1_700_000_000_000 + 86_400_001 }), "set-point"],
    ["late", signed({ notAfterWallMillis: 1000 }), "set-point"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, verb: "dance" }, operator.privateKey), "dance"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, payload: { maxExit: 99 } }, operator.privateKey), "set-point"],
    ["malformed", signEnvelope("command", { ...command(), v: 1, more: 1 }, operator.privateKey), "set-point"],
  ])("counts as %s and does not obey case %#", (refusal, bytes, verb) => {
    const store = memoryCommandStore({ counter: 4, setPoint: {} });
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
    expect(done).toEqual(['set-point {"maxExit":1}', "snapshot undefined"]);
    expect(again.counts()).toMatchObject({ obeyed: 1, replayed: 1, older: 1 });
    expect(openCommandStore(path).state).toMatchObject({ counter: 6, setPoint: { maxExit: 1 } });
  });

  it("its counters are new, as in a fresh data folder → it obeys nothing that was signed before it was provisioned", () => {
    const floor = clock.wall() - 1000;
    const path = join(folder, "fresh.json");
    const box = inbox(openCommandStore(path, floor));
    for (const counter of [5, floor]) box.receive(sent(signed({ counter })));
    expect(done).toEqual([]);
    box.receive(sent(signed({ counter: floor + 1 })));
    box.receive(sent(signed({ counter: clock.wall() + 86_400_000, verb: "reboot", payload: {} }), "reboot"));
    expect(box.counts()).toMatchObject({ obeyed: 2, older: 1, replayed: 1 });
    expect(openCommandStore(path, floor).state.counter).toBe(clock.wall() + 86_400_000);
  });

  it("it has neither a floor nor counters, as nodes of earlier releases → it says how to add a floor, until it remembers a command", () => {
    const commandKey = operator.publicKey.export({ format: "jwk" }).x!;
    const open = (node: { commandFloor?: number } = {}) => {
      const notes: string[] = [];
      const { store } = openNodeCommands({ node: "old", commandKey, ...node }, folder, {
        ...{ clock, onReboot() {} },
        note: (line) => notes.push(line),
      });
      return { store, notes };
    };
    expect(open().notes).toEqual([expect.stringMatching(/^COMMAND_FLOOR_MISSING: old .*"commandFloor": 1700000000000 /)]);
    expect(open({ commandFloor: 1 }).notes).toEqual([]);
    const { store } = open();
    store.commit({ counter: 5, setPoint: {} });
    expect(open().notes).toEqual([]);
  });

  it("its clock is not set → commands of the ten years after its floor are obeyed, and none that ends the channel", () => {
    clock.jumpWall(-clock.wall()); // 1970
    const floor = Date.UTC(2026, 0, 1);
    const box = inbox(memoryCommandStore({ counter: floor, setPoint: {} }));
    box.receive(sent(signed({ counter: Date.UTC(2034, 0, 1) })));
    for (const counter of [5, Number.MAX_SAFE_INTEGER, Date.UTC(2050, 0, 1)]) box.receive(sent(signed({ counter })));
    expect(box.counts()).toMatchObject({ obeyed: 1, older: 1, ahead: 2 });
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
    const store = memoryCommandStore({ counter: 1, setPoint: { hopPatches: 8 } });
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
    const box = inbox(filling);
    box.receive(sent(signed()));
    expect(done).toEqual([]);
    expect(box.counts()).toMatchObject({ obeyed: 0, "not-done": 1 });
    room = 3;
    inbox(filling, { setPoint: () => "maxExit 1 is beyond this model" }).receive(sent(signed({ counter: 7 })));
    expect(store.state).toEqual({ counter: 7, setPoint: { hopPatches: 8 } });
  });

  it("says why a node could not do it, four times and then each ten seconds: a flood of replays keeps no radio on", () => {
    const box = inbox(memoryCommandStore(), { setPoint: () => "maxExit 1 is beyond this model" });
    box.receive(sent(signed()));
    expect(told).toEqual([
      { verb: "set-point", counter: 5, result: "refused", refusal: "not-done", reason: "maxExit 1 is beyond this model" },
    ]);
    for (let i = 0; i < 100; i++) box.receive(sent(signed()));
    expect(told).toHaveLength(4);
    clock.advance(10_000);
    box.receive(sent(signed()));
    expect(told).toHaveLength(5);
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

describe("a command that this version cannot do", () => {
  it.each([
    ["model-update", { manifest: new Uint8Array(8) }, "not built yet"],
    ["dance", {}, "not known"],
  ])("%s is refused with the reason, its counter stays unused", (verb, payload, reason) => {
    const store = memoryCommandStore();
    const box = inbox(store);
    const head = { v: 1, site: "lab", node: "wrist-1", verb, counter: 5, payload };
    box.receive(sent(signEnvelope("command", head, operator.privateKey), verb));
    expect(told).toEqual([{ verb, counter: 5, result: "refused", refusal: "malformed", reason: expect.stringContaining(reason) }]);
    expect([done, store.state.counter]).toEqual([[], 0]);
    box.receive(sent(signed()));
    expect(box.counts()).toMatchObject({ obeyed: 1, malformed: 1 });
  });

  it("tells nobody about one that another node was to do, or whose signature is wrong", () => {
    const head = { v: 1, site: "lab", node: "wrist-2", verb: "model-update", counter: 5, payload: {} };
    inbox().receive(sent(signEnvelope("command", head, operator.privateKey), "model-update"));
    inbox().receive(sent(signEnvelope("command", { ...head, node: "wrist-1" }, stranger.privateKey), "model-update"));
    expect(told).toEqual([]);
  });
});

it("a store of 0.1.0, which counted model updates, is read", () => {
  const path = join(folder, "older.json");
  writeFileSync(path, JSON.stringify({ v: 1, counter: 7, modelCounters: { activity: 3 }, setPoint: {} }), { mode: 0o600 });
  expect(openCommandStore(path).state).toEqual({ counter: 7, setPoint: {} });
});

describe("a node that obeys nobody", () => {
  it("answers a command with the reason, four times and then each ten seconds, and no other bytes at all", () => {
    const refuse = createCommandRefuser({ clock, tell: (report) => told.push(report) });
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2), signed().subarray(0, 40), new Uint8Array(MAX_COMMAND_BYTES + 1)])
      refuse(sent(bytes));
    expect(told).toEqual([]);
    for (let i = 0; i < 100; i++) refuse(sent(signed({}, stranger.privateKey)));
    const report = {
      verb: "set-point",
      counter: 5,
      result: "refused",
      refusal: "takes-none",
      reason: expect.stringContaining("no command key"),
    };
    expect(told).toEqual(new Array(4).fill(report));
    clock.advance(10_000);
    refuse(sent(signed({ counter: 6 })));
    expect(told.slice(4)).toEqual([{ ...report, counter: 6 }]);
  });
});
