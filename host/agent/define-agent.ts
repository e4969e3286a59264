import * as z from "zod/mini";
import { LIMIT_EXITS } from "../../assembly/layout.ts";
import { checked } from "../core/system/checked.ts";
import { once } from "../core/system/once.ts";
import { ASK_FORMS } from "../mqtt/wire/ask-forms.ts";

const folderPath = () => z.string().check(z.minLength(1), z.maxLength(512));

const sensorSchema = () =>
  z.strictObject({
    /** imu: a frame is ax ay az (g) gx gy gz (°/s). custom: any other channels. The model's manifest has units and counts. */
    kind: z.enum(["imu", "custom"]),
    /** Frames per second. Default 50. */
    rateHz: z._default(z.number().check(z.positive(), z.lte(1000)), 50),
    /** int16 values of a frame. Default 6. */
    channels: z._default(z.int().check(z.gte(1), z.lte(16)), 6),
    /** Where and how the sensor sits, for people. */
    orientation: z._default(z.string().check(z.maxLength(200)), ""),
  });

const eventsSchema = () =>
  z.strictObject({
    /** Sure decisions in a row that must agree before a label change is published; unsure ones need one more unless the image smooths its labels. Default 1, minimum 1. */
    stableDecisions: z._default(z.int().check(z.gte(1), z.lte(32)), 1),
    /** On a governed board: seconds between two reports. News that is no alarm waits for a report, or for another wake-up of the radio. Default 3600. */
    reportSeconds: z._default(z.number().check(z.gte(10), z.lte(86_400)), 3600),
  });

const asksSchema = () =>
  z.strictObject({
    /** At most one ask in so many decisions. Default 1, minimum 1. */
    intervalHops: z._default(z.int().check(z.gte(1), z.lte(65535)), 1),
    /** Seconds that an answer may take; then the ask has expired. Default 30. */
    deadlineSeconds: z._default(z.number().check(z.gte(0.1), z.lte(86_400)), 30),
    /** Seconds of device time that the cloud's correction holds while the model keeps saying the same unsure thing; nothing is asked meanwhile. Default 10; 0 = only the asked decision. */
    holdSeconds: z._default(z.number().check(z.gte(0), z.lte(3600)), 10),
    /** Forms that an ask may take, each with the share of asks that the cloud answers rightly from it. Default: features alone. */
    inputs: z.optional(
      z
        .array(
          z.strictObject({
            form: z.enum(ASK_FORMS),
            worth: z.number().check(z.gte(0), z.lte(1)),
            /** Of activations: the exit whose head reads them. Default 0. */
            atExit: z.optional(z.int().check(z.gte(0), z.lte(LIMIT_EXITS - 1))),
          }),
        )
        .check(z.minLength(1), z.maxLength(ASK_FORMS.length)),
    ),
    /** Bits about the wearer that asks may carry off the device in any hour. Default: unbounded. */
    privacyBitsAnHour: z.optional(z.number().check(z.gte(0))),
    /** Bytes of sensor data that asks may carry off the device per day. Default: unbounded; 4 MiB on a governed board. */
    privacyBytesPerDay: z.optional(z.int().check(z.gte(0))),
    /** Price of a kilobyte sent by radio, on the scale of `worth`. Default 0. */
    worthAKilobyte: z.optional(z.number().check(z.gte(0))),
  });

const suspicionSchema = () =>
  z.strictObject({
    /** The label that is suspected: the agent's alarm. */
    label: z.string().check(z.minLength(1), z.maxLength(64)),
    /** The exit whose probability counts, from 0. A decision that stops before it is a suspicion only if it chose the label. */
    atExit: z.int().check(z.gte(0), z.lte(LIMIT_EXITS - 1)),
    /** A decision that leaves the label more than this is a suspicion. Above 0, below 1. */
    probability: z.number().check(z.gt(0), z.lt(1)),
    /** Seconds from the suspicion to the end of the context that the cloud is asked about: how long an alarm waits at least. */
    afterSeconds: z.number().check(z.gte(0), z.lte(60)),
    /** Seconds between two suspicions, at least. Default 2, minimum 0.1. */
    intervalSeconds: z._default(z.number().check(z.gte(0.1), z.lte(3600)), 2),
    /** Seconds that the answer may take; then the device's own rule decides. Default 5, minimum 0.1. */
    deadlineSeconds: z._default(z.number().check(z.gte(0.1), z.lte(60)), 5),
  });

/** Made when it is first asked for: a process that only runs a model does without it. */
export const agentSchema = once(() =>
  z
    .strictObject({
      /** Name in topics and commands: lower case, digits and dashes, at most 32 characters. */
      name: z
        .string()
        .check(z.maxLength(32), z.regex(/^[a-z][a-z0-9-]*$/, "expected lower-case letters, digits and dashes, a letter first")),
      /** One sentence for people. */
      description: z._default(z.string().check(z.maxLength(200)), ""),
      /** The model image, relative to the agent's folder. */
      model: folderPath(),
      /** Rises with each model that is shipped: packages of an agent are newer or older by it. Default 1. */
      modelNumber: z.optional(z.int().check(z.gte(1), z.lte(999_999))),
      /** What adaptation to one user starts from (lda-prior.safetensors, written by `train` beside the model), relative to the agent's folder. None: no personalisation. */
      prior: z.optional(folderPath()),
      /** Images of the cloud's ensemble, relative to the agent's folder. None: nothing answers asks here. */
      teacher: z._default(z.array(folderPath()).check(z.maxLength(16)), []),
      /** The cloud's model that answers suspicions (made by `train`), relative to the agent's folder. None: the ensemble answers them. */
      confirmation: z.optional(folderPath()),
      /** Parameters of the synthetic wearer (JSON), relative to the agent's folder. None: no synthetic sensor. */
      synthetic: z.optional(folderPath()),
      /** How the agent's decisions turn out and what they are worth (JSON, made by `simulate --tune`), relative to its folder. None: as certified in the image. */
      policy: z.optional(folderPath()),
      sensor: sensorSchema(),
      events: z._default(eventsSchema(), { stableDecisions: 1, reportSeconds: 3600 }),
      /** The label whose event is an alarm. None: every label is as good as another. `eval` scores an agent with an alarm by its alarms. */
      alarm: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
      /**
       * Alarms that the cloud confirms. A decision that leaves the alarm's label more than `probability` is a suspicion: the device waits
       * `afterSeconds`, asks with the context that ends then, and tells the alarm if the answer has that label. Without an answer its own
       * rule (`events.stableDecisions`) decides. Nothing else is asked but audits. None: the own rule tells alarms, unsure decisions are asked.
       */
      suspicion: z.optional(suspicionSchema()),
      /** Whether its labels go into the wearer's diary on the device, which the assistant answers from. Default false. */
      diary: z._default(z.boolean(), false),
      /** Layout of the recordings that this agent reads: a public data set's, or a folder of CSV files. None: HAPT, or CSV where a folder holds some. */
      data: z.optional(z.enum(["hapt", "sisfall", "csv"])),
      asks: z._default(asksSchema(), { intervalHops: 1, deadlineSeconds: 30, holdSeconds: 10 }),
    })
    .check(
      z.refine(({ alarm, suspicion }) => suspicion === undefined || suspicion.label === alarm, {
        path: ["suspicion", "label"],
        error: "expected the label that alarm names",
      }),
    ),
);

/** What the author of an agent writes. */
export type AgentInput = z.input<ReturnType<typeof agentSchema>>;
/** A checked agent, defaults filled in. */
export type AgentDefinition = Readonly<z.output<ReturnType<typeof agentSchema>>>;

/**
 * Declares an agent: its model, its sensor, what is worth telling and when to ask the cloud. An `agent.ts` exports it as default.
 *
 *     import { defineAgent } from "dormouse-edge";
 *
 *     export default defineAgent({
 *       name: "activity",
 *       model: "model.dmm",
 *       teacher: ["teacher/a.dmm", "teacher/b.dmm"],
 *       sensor: { kind: "imu", rateHz: 50 },
 *       events: { stableDecisions: 2 },
 *       asks: { intervalHops: 2, deadlineSeconds: 30 },
 *     });
 */
export function defineAgent(input: AgentInput): AgentDefinition {
  return checked(agentSchema(), input, "AGENT_INVALID", "this agent's definition is not valid", "Mend the named fields in its agent.ts.");
}
