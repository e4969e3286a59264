import { MAX_EXCHANGES, MAX_REPLY_CHARS } from "../mqtt/wire/text-ask.ts";
import type { AssistantAnswer, Share } from "./assistant-types.ts";
import { cutScrubbed } from "./cut-scrubbed.ts";

/** A question and its answer; `share`: what of the wearer the answer tells. */
export interface SaidExchange {
  readonly question: string;
  readonly text: string;
  readonly by: AssistantAnswer["by"];
  readonly share: Share | undefined;
}

/** What was said last, so that the next ask knows of it. In memory alone. */
export interface Exchanges {
  add(exchange: SaidExchange): void;
  last(): SaidExchange | undefined;
  /** The last ones as an ask carries them, oldest first. An answer that tells what is not shared stays on the device. */
  forAsk(scrub: (text: string) => string): { readonly question: string; readonly text: string; readonly by: AssistantAnswer["by"] }[];
  clear(): void;
}

/** In the place of an answer that the wearer does not share. */
const NOT_SHARED = "(answered on the device, not shared)";

export function createExchanges(share: readonly Share[]): Exchanges {
  const kept: SaidExchange[] = [];
  // A local answer names times of day, too.
  const mayLeave = ({ share: told }: SaidExchange) =>
    told === undefined || (share.includes(told) && (told !== "activity" || share.includes("time")));
  return {
    add(exchange) {
      kept.push(exchange);
      if (kept.length > MAX_EXCHANGES) kept.shift();
    },
    last: () => kept.at(-1),
    forAsk: (scrub) =>
      kept.map((one) => ({
        question: cutScrubbed(scrub(one.question)),
        text: mayLeave(one) ? cutScrubbed(scrub(one.text), MAX_REPLY_CHARS) : NOT_SHARED,
        by: one.by,
      })),
    clear: () => void kept.splice(0),
  };
}
