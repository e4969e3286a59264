import { defineTextAgent } from "dormouse-edge";

/** What the wearer asks: of their own day, which the device answers, or of anything else, which the cloud may. English. */
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
