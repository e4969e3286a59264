import { describe, expect, it } from "vitest";
import { type AskPurpose, type AskState, mayAsk } from "../../../../host/policy/govern/may-ask.ts";

const FREE: AskState = { link: "online", isOrderedOff: false, isOpen: false, leastBytes: 768, allowedBytes: 768 };

describe("whether an ask may go now", () => {
  it.each<[string, Partial<AskState>, readonly AskPurpose[]]>([
    ["nothing speaks against it → whatever it is for", {}, ["unsure", "audit"]],
    ["there is no cloud → nothing", { link: undefined }, []],
    ["the operator ordered asks off → nothing, no audit either", { isOrderedOff: true }, []],
    ["privacy lets less go than the smallest ask has → nothing", { allowedBytes: 767 }, []],
    ["an ask about this episode is open → only what is not about it", { isOpen: true }, ["audit"]],
    ["the link is down → what may wait for its answer", { link: "offline" }, ["unsure", "audit"]],
  ])("%s", (_, over, allowed) => {
    const purposes: readonly AskPurpose[] = ["unsure", "audit"];
    expect(purposes.filter((purpose) => mayAsk(purpose, { ...FREE, ...over }))).toEqual(allowed);
  });
});
