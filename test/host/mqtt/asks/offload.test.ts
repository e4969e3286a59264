import { describe, it } from "vitest";
import { offloadSuite } from "../../../suites/offload.ts";
import { aedesBroker, hasMosquitto, mosquittoBroker } from "../../../support/broker.ts";
import { requireAll } from "../../../support/require.ts";

offloadSuite("offload over the embedded broker", aedesBroker);

if (hasMosquitto() || requireAll) offloadSuite("offload over mosquitto", () => mosquittoBroker());
else describe("offload over mosquitto", () => it("every case", ({ skip }) => skip("mosquitto is not installed")));
