import { defineAgent } from "../../host/index.ts";

/** What the wearer does, from a phone-sized IMU at the waist. */
export default defineAgent({
  name: "activity",
  description: "What the wearer does: walking, stairs, sitting, standing, lying.",
  model: "model.dmm",
  teacher: [],
  synthetic: "synthetic.json",
  sensor: { kind: "imu", rateHz: 50, channels: 6, orientation: "waist, as in HAPT" },
  events: { stableDecisions: 2 },
  asks: { intervalHops: 2, deadlineSeconds: 30, holdSeconds: 20 },
});
