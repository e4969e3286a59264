import { beforeAll, describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/device/layout.ts";
import { makeStore } from "../../../../host/firmware/emulate/device-store.ts";
import { makeLinkStream } from "../../../../host/firmware/emulate/link-stream.ts";
import { encodeCommand } from "../../../../host/link/command.ts";
import { readDeviceStream } from "../../../../host/link/messages.ts";
import { createLinkWriter } from "../../../../host/link/stream.ts";
import { activity, activityImage, only, quiet, wearer } from "../../../support/device.ts";
import { type Imports, runBrowserShim, type WasiRun } from "../../../support/wasi-runtimes.ts";

const EAGAIN = 6;
const EBADF = 8;
const EINTR = 27;
const ENOENT = 44;
const ENOTCAPABLE = 76;

const store = makeStore([activityImage], { slotBytes: activityImage.length, snapshotBytes: activity.arenaBytes });
const save: Uint8Array[] = [];
createLinkWriter((bytes) => save.push(bytes)).message("command", layout.LINK_DEVICE, encodeCommand({ verb: "snapshot" }));
const stream = Buffer.concat([makeLinkStream(wearer(8, 800), { setPoint: quiet(activity) }), ...save]);

type Call = (...args: unknown[]) => number;
const call = (imports: Imports, name: string) => imports[name] as unknown as Call;

/** Answers the first and every n-th call after it with an errno, without doing it. */
const failing = (errno: number, names: readonly string[], every: number) => (imports: Imports) => {
  let calls = 0;
  return Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => (calls++ % every === 0 ? errno : call(imports, name)(...args))]),
  ) as Imports;
};
const storeLogs = ({ output }: WasiRun) =>
  only(readDeviceStream(output).messages, "log").flatMap(({ log }) => (log.code === layout.LOG_STORE_FAILED ? [log.value] : []));
const startOf = ({ output }: WasiRun) => only(readDeviceStream(output).messages, "hello")[0]!.hello.agents[0];

let plain: WasiRun;
beforeAll(() => {
  plain = runBrowserShim(stream, store);
  expect(only(readDeviceStream(plain.output).messages, "decision").length).toBeGreaterThan(5);
});
const expectPlain = (run: WasiRun) => {
  expect(run.exitCode).toBe(0);
  expect(Buffer.compare(run.output, plain.output)).toBe(0);
  expect(Buffer.compare(run.store, plain.store)).toBe(0);
};

describe("a call that answers EINTR or EAGAIN is made again", () => {
  const cases = [["fd_read"], ["fd_write"], ["fd_pread"], ["fd_pwrite"], ["fd_sync"], ["path_open"]];
  it.each(cases.flatMap(([name]) => [EINTR, EAGAIN].map((errno) => [name!, errno] as const)))("%s, errno %i", (name, errno) => {
    expectPlain(runBrowserShim(stream, store, { adapt: (imports) => ({ ...failing(errno, [name], 4)(imports), poll_oneoff: () => 0 }) }));
  });

  it.each([["fd_pwrite"], ["fd_sync"]])("%s that always says EINTR fails the store within bounds, and the device runs on", (name) => {
    const run = runBrowserShim(stream, store, { adapt: (imports) => ({ ...failing(EINTR, [name], 1)(imports), poll_oneoff: () => 0 }) });
    expect(run.exitCode).toBe(0);
    expect(storeLogs(run)[0]).toBe(EINTR);
    expect(only(readDeviceStream(run.output).messages, "decision").length).toBeGreaterThan(5);
  });
});

it("a store whose writes go elsewhere is said to fail", () => {
  const adapt = (_: Imports, memory: () => DataView) =>
    ({
      fd_pwrite: (_fd: number, iovs: number, _count: number, _offset: bigint, done: number) => {
        memory().setUint32(done, memory().getUint32(iovs + 4, true), true);
        return 0;
      },
    }) as unknown as Imports;
  expect(storeLogs(runBrowserShim(stream, store, { adapt }))[0]).toBe(29);
});

it("a write that takes 7 bytes at a time loses none", () => {
  const adapt = (imports: Imports, memory: () => DataView): Imports => {
    const short =
      (name: string) =>
      (fd: unknown, iovs: number, ...rest: unknown[]) => {
        memory().setUint32(iovs + 4, Math.min(7, memory().getUint32(iovs + 4, true)), true);
        return call(imports, name)(fd, iovs, ...rest);
      };
    return { fd_write: short("fd_write"), fd_pwrite: short("fd_pwrite"), fd_pread: short("fd_pread") } as unknown as Imports;
  };
  expectPlain(runBrowserShim(stream, store, { adapt }));
});

describe("the store is looked for among the preopened folders", () => {
  it.each([0, 1, 3])("behind %i folders without one", (emptyFolders) => {
    expectPlain(runBrowserShim(stream, store, { emptyFolders }));
  });

  it("behind a root that refuses, as wasmer's fd 3 does", () => {
    const refusing = (imports: Imports) =>
      ({
        path_open: (fd: unknown, ...args: unknown[]) => (fd === 3 ? ENOTCAPABLE : call(imports, "path_open")(fd, ...args)),
      }) as unknown as Imports;
    expectPlain(runBrowserShim(stream, store, { emptyFolders: 1, adapt: refusing }));
  });

  it.each([
    ["refuses in every folder", () => ENOTCAPABLE, [ENOTCAPABLE]],
    ["refuses in one, has none in another", (fd: unknown) => (fd === 4 ? ENOTCAPABLE : fd === 3 ? ENOENT : EBADF), [ENOTCAPABLE]],
    ["has no folder", () => EBADF, [EBADF]],
    ["has none in its folder", (fd: unknown) => (fd === 3 ? ENOENT : EBADF), []],
  ])("a runtime that %s: the log says the errno, or nothing if there is no store", (_, path_open, errnos) => {
    const run = runBrowserShim(stream, undefined, { adapt: () => ({ path_open }) as unknown as Imports });
    expect(storeLogs(run)).toEqual(errnos);
    for (const { log } of only(readDeviceStream(run.output).messages, "log")) expect(log.text).toMatch(/preopen/);
    expect(startOf(run)).toBeUndefined();
  });
});
