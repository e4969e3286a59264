import { defineTextAgent } from "dormouse-edge";

/** Questions in English. The device answers those about the wearer's own day; the cloud may answer the others. */
export default defineTextAgent({
  name: "assistant",
  description: "What a question means: of the wearer's day, answered on the device, or of anything else, asked. English.",
  model: "model.dmm",
  text: { language: "en" },
  local: [
    "what-am-i-doing",
    "how-long",
    "total-today",
    "at-time",
    "sitting-too-long",
    "last-fall",
    "battery",
    "what-can-you-answer",
    "who-answers",
    "ask-the-cloud",
    "forget-today",
    "stop",
  ],
  answeredAs: { what_can_i_ask_you: "what-can-you-answer", cancel: "stop" },
});
