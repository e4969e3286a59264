import type { Output } from "../../host/core/system/output.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { memorySeries, residentKiB } from "./memory.ts";
import { type OffloadOptions, withTestbed } from "./offload.ts";

const TICK_MILLIS = 100;
const SAMPLES = 120;

/**
 * Asks at a steady rate for so long, each device in its turn, and watches the memory of each worker and of this process, which holds
 * the devices' clients, outboxes and ledgers as a gateway does.
 */
export function runSoak(io: CliIo, out: Output, options: OffloadOptions & { readonly minutes: number; readonly asksPerSecond: number }) {
  return withTestbed(io, out, options, async (testbed) => {
    const { devices } = testbed;
    const pids = [["gateway", process.pid] as const, ...testbed.workers.pids.map((pid, i) => [`worker ${i}`, pid] as const)];
    const samples = new Map(pids.map(([name]) => [name, [] as { minute: number; kiB: number }[]]));
    const startedAt = io.clock.now();
    const endAt = startedAt + options.minutes * 60_000;
    let asked = 0;
    let sampled = 0;
    await new Promise<void>((resolve) => {
      const tick = () => {
        const now = io.clock.now();
        if (now >= endAt || io.interrupt.aborted) return resolve();
        const due = ((now - startedAt) / 1000) * options.asksPerSecond;
        for (; asked < due; asked++) devices[asked % devices.length]!.ask();
        if (now - startedAt >= (sampled * (endAt - startedAt)) / SAMPLES) {
          sampled++;
          for (const [name, pid] of pids) {
            const kiB = residentKiB(pid);
            if (kiB !== undefined) samples.get(name)!.push({ minute: (now - startedAt) / 60_000, kiB });
          }
          if (sampled % 12 === 1) out.note(`minute ${((now - startedAt) / 60_000).toFixed(1)}: ${asked} asked, ${describe(samples)}.`);
        }
        io.clock.after(TICK_MILLIS, tick);
      };
      tick();
    });
    const { cloud, ...states } = await testbed.end();
    const memory = pids.map(([name]) => memorySeries(name, samples.get(name)!));
    return {
      ...states,
      devices: devices.length,
      workers: options.workers,
      minutes: options.minutes,
      asksPerSecond: options.asksPerSecond,
      memory,
      cloud,
    };
  });
}

function describe(samples: ReadonlyMap<string, readonly { readonly kiB: number }[]>): string {
  return [...samples].map(([name, values]) => `${name} ${Math.round((values.at(-1)?.kiB ?? 0) / 1024)} MiB`).join(", ");
}
