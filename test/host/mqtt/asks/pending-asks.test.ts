import { describe, expect, it } from "vitest";
import { createPendingAsks, type PendingAsk } from "../../../../host/mqtt/asks/pending-asks.ts";
import type { Payload } from "../../../../host/mqtt/wire/payloads.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** One ask without a deadline of interest, and when it was sent. */
function pending(firstMillis: number) {
  const clock = new ManualClock();
  const sentAt: number[] = [];
  const asks = createPendingAsks({
    ...{ clock, random: (count) => new Uint8Array(count), retry: { firstMillis, maxMillis: 60_000 }, window: 4 },
    ...{ isOnline: () => true, send: (ask: PendingAsk) => sentAt.push(ask.sentAt), expire: () => {} },
  });
  asks.add({ id: "1", payload: {} as Payload<"ask">, askedAt: 0, deadlineAt: 1e9 });
  return { clock, asks, sentAt };
}

describe("an ask that a worker has no time for", () => {
  it("is sent again when the worker said", () => {
    const { clock, asks, sentAt } = pending(3000);
    asks.postpone("1", 1200);
    clock.advance(1200);
    expect(sentAt).toEqual([0, 1200]);
  });
});
