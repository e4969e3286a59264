import { defineAgent } from "dormouse-edge";

/** Whether the wearer falls, from an IMU on the belt: the device suspects, the cloud confirms. */
export default defineAgent({
  name: "fall",
  description: "Whether the wearer falls: suspected on the device, confirmed by the cloud two seconds later.",
  model: "model.dmm",
  modelNumber: 7,
  confirmation: "confirmation.safetensors",
  synthetic: "synthetic.json",
  sensor: {
    kind: "imu",
    rateHz: 50,
    channels: 6,
    orientation: "waist, belt buckle, as in SisFall: x up when standing, y to the right, z forward",
  },
  diary: true,
  events: { stableDecisions: 3 },
  alarm: "fall",
  suspicion: { label: "fall", atExit: 2, probability: 0.1, afterSeconds: 2, intervalSeconds: 2, deadlineSeconds: 5 },
  data: "sisfall",
});
