import { describe, it } from "vitest";
import { offloadSuite } from "../../suites/offload.ts";
import { aedesBroker, hasMosquitto, mosquittoBroker, mustHaveAll } from "../../support/broker.ts";

offloadSuite("offload over the embedded broker", aedesBroker);

if (hasMosquitto() || mustHaveAll()) offloadSuite("offload over mosquitto", () => mosquittoBroker());
else describe("offload over mosquitto", () => it.skip("skipped: mosquitto is not installed", () => {}));
