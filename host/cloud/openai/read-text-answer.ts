import { type AskText, MAX_REPLY_CHARS, readTextReply, type TextReply, unknownPlaceholder } from "../../mqtt/wire/text-ask.ts";
import type { ReadReply } from "./chat-client.ts";
import { readLastObject } from "./last-object.ts";
import type { ChatReply } from "./reply.ts";

/**
 * Reads `{kind, text}` from the last JSON object of a reply; other keys are dropped, so that a reply can start nothing. A text above its
 * bound or with a placeholder that the ask lacks is refused and never mended: half a sentence may say the opposite. Any text is safe.
 */
export function readTextAnswer(
  reply: Pick<ChatReply, "text" | "reasoning" | "finish">,
  ask: AskText,
): ReadReply<{ readonly reply: TextReply }> {
  return readLastObject<{ readonly reply: TextReply }>(reply, ({ kind, text }) => {
    if (typeof text === "string" && text.length > MAX_REPLY_CHARS)
      return { ok: false, kind: "tooLong", flaw: `the reply has ${text.length} characters, at most ${MAX_REPLY_CHARS} are shown` };
    const read = readTextReply({ kind, text });
    if (!read.ok) return { ok: false, kind: "offSchema", flaw: read.flaw };
    const placeholder = unknownPlaceholder(read.reply.text, ask);
    if (placeholder === undefined) return { ok: true, reply: read.reply };
    return { ok: false, kind: "unknownPlaceholder", flaw: `the reply names ${placeholder}, which the ask does not` };
  });
}
