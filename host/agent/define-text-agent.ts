import { z } from "zod";
import { checked } from "../core/system/checked.ts";

const folderPath = z.string().min(1).max(512);
const intent = z.string().min(1).max(64);

const asksSchema = z.strictObject({
  /** Whether free text may leave the device. Default false: what the device cannot answer stays unanswered. */
  text: z.boolean().default(false),
  /** What of the wearer an ask may carry besides the question. Default: nothing. */
  share: z.array(z.enum(["activity", "battery", "time"])).default([]),
  /** Seconds that an answer may take; then the ask has expired. Default 30. */
  deadlineSeconds: z.number().min(0.1).max(86_400).default(30),
});

export const textAgentSchema = z.strictObject({
  /** Name in topics and commands: lower case, digits and dashes, at most 32 characters. */
  name: z
    .string()
    .max(32)
    .regex(/^[a-z][a-z0-9-]*$/, "expected lower-case letters, digits and dashes, a letter first"),
  /** One sentence for people. */
  description: z.string().max(200).default(""),
  /** The text model's image, relative to the agent's folder. */
  model: folderPath,
  /** What it reads. */
  text: z.strictObject({
    /** Language of the texts that the model was trained on. */
    language: z.literal("en"),
  }),
  /** Intents that the device itself has an answer to. Any other is sent to the cloud as needs-cloud. */
  local: z.array(intent).min(1).max(256),
  /** Intents that are answered as another one: a label of the data set that means what one of `local` does. */
  answeredAs: z.record(intent, intent).default({}),
  asks: asksSchema.default({ text: false, share: [], deadlineSeconds: 30 }),
});

/** What the author of a text agent writes. */
export type TextAgentInput = z.input<typeof textAgentSchema>;
/** A checked text agent, defaults filled in. */
export type TextAgentDefinition = Readonly<z.output<typeof textAgentSchema>>;

/**
 * Declares an agent that reads texts: its model, the intents that the device answers itself, what may be asked. An `agent.ts` exports it as
 * default.
 *
 *     import { defineTextAgent } from "dormouse-edge";
 *
 *     export default defineTextAgent({ name: "assistant", model: "model.dmm", text: { language: "en" }, local: ["how-long", "battery"] });
 */
export function defineTextAgent(input: TextAgentInput): TextAgentDefinition {
  return checked(textAgentSchema, input, "AGENT_INVALID", "this agent's definition is not valid", "Mend the named fields in its agent.ts.");
}
