import { type AgentInput, defineAgent } from "dormouse-edge";

const sensor: AgentInput["sensor"] = { kind: "imu", rateHz: 50, channels: 6 };

export default defineAgent({ name: "mine", model: "model.dmm", synthetic: "synthetic.json", sensor });
