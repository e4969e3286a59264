import * as z from "zod/mini";
import { checked } from "../core/system/checked.ts";
import { once } from "../core/system/once.ts";

const folderPath = () => z.string().check(z.minLength(1), z.maxLength(512));
const intent = () => z.string().check(z.minLength(1), z.maxLength(64));

const asksSchema = () =>
  z.strictObject({
    /** Whether free text may leave the device. Default false: what the device cannot answer stays unanswered. */
    text: z._default(z.boolean(), false),
    /** What of the wearer an ask may carry besides the question. Default: nothing. */
    share: z._default(z.array(z.enum(["activity", "battery", "time"])), []),
    /** Seconds that an answer may take; then the ask has expired. Default 30. */
    deadlineSeconds: z._default(z.number().check(z.gte(0.1), z.lte(86_400)), 30),
  });

/** Made when it is first asked for: a process that only runs a model does without it. */
export const textAgentSchema = once(() =>
  z.strictObject({
    /** Name in topics and commands: lower case, digits and dashes, at most 32 characters. */
    name: z.string().check(z.maxLength(32), z.regex(/^[a-z][a-z0-9-]*$/, "expected lower-case letters, digits and dashes, a letter first")),
    /** One sentence for people. */
    description: z._default(z.string().check(z.maxLength(200)), ""),
    /** The text model's image, relative to the agent's folder. */
    model: folderPath(),
    /** What it reads. */
    text: z.strictObject({
      /** Language of the texts that the model was trained on. */
      language: z.literal("en"),
    }),
    /** Intents that the device itself has an answer to. Any other is sent to the cloud as needs-cloud. */
    local: z.array(intent()).check(z.minLength(1), z.maxLength(256)),
    /** Intents that are answered as another one: a label of the data set that means what one of `local` does. */
    answeredAs: z._default(z.record(intent(), intent()), {}),
    asks: z._default(asksSchema(), { text: false, share: [], deadlineSeconds: 30 }),
  }),
);

/** What the author of a text agent writes. */
export type TextAgentInput = z.input<ReturnType<typeof textAgentSchema>>;
/** A checked text agent, defaults filled in. */
export type TextAgentDefinition = Readonly<z.output<ReturnType<typeof textAgentSchema>>>;

/**
 * Declares an agent that reads texts: its model, the intents that the device answers itself, what may be asked. An `agent.ts` exports it as
 * default.
 *
 *     import { defineTextAgent } from "dormouse-edge";
 *
 *     export default defineTextAgent({ name: "assistant", model: "model.dmm", text: { language: "en" }, local: ["how-long", "battery"] });
 */
export function defineTextAgent(input: TextAgentInput): TextAgentDefinition {
  return checked(
    textAgentSchema(),
    input,
    "AGENT_INVALID",
    "this agent's definition is not valid",
    "Mend the named fields in its agent.ts.",
  );
}
