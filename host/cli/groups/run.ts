import { registerBroker } from "../verbs/broker.ts";
import { registerCloud } from "../verbs/cloud.ts";
import { registerDemo } from "../verbs/demo.ts";
import { registerDiary } from "../verbs/diary.ts";
import { registerFleet } from "../verbs/fleet.ts";
import { registerGateway } from "../verbs/gateway.ts";
import { registerOta } from "../verbs/ota.ts";
import { registerProvision } from "../verbs/provision.ts";
import { registerRun } from "../verbs/run.ts";
import { registerWatch } from "../verbs/watch.ts";

/** The verbs below "Try and run", in the help's order. */
export const registers = [
  registerDemo,
  registerRun,
  registerGateway,
  registerDiary,
  registerCloud,
  registerBroker,
  registerProvision,
  registerOta,
  registerFleet,
  registerWatch,
];
