import { defineAgent } from "dormouse-edge";

/** What the wearer does, from a phone-sized IMU at the waist. */
export default defineAgent({
  name: "activity",
  description: "What the wearer does: walking, stairs, sitting, standing, lying.",
  model: "model.dmm",
  modelNumber: 9,
  prior: "lda-prior.safetensors",
  teacher: ["a", "b", "c", "d", "e"].map((member) => `teacher/${member}.dmm`),
  synthetic: "synthetic.json",
  policy: "policy.json",
  sensor: { kind: "imu", rateHz: 50, channels: 6, orientation: "waist, as in HAPT: x up when standing" },
  diary: true,
  events: { stableDecisions: 1 },
  asks: { intervalHops: 1, deadlineSeconds: 30, holdSeconds: 10 },
});
