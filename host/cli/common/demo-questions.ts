import { bundledAgents, loadTextAgent } from "../../agent/registry.ts";
import { doingText } from "../../assistant/activity-words.ts";
import { createAssistant } from "../../assistant/assistant.ts";
import type { AssistantAnswer } from "../../assistant/assistant-types.ts";
import type { Clock } from "../../core/system/clock.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { createDiaryReader } from "../../diary/diary-reader.ts";
import { createAsker } from "../../mqtt/asks/asker.ts";

/** The agent that the demo asks. */
const ASSISTANT = "assistant";
const DEADLINE_SECONDS = 5;
/** The model knows no intent for it that the device answers; the name stays on the device. */
const CLOUD_QUESTION = "Would Anna call these totals healthy?";

const ALARM_QUESTION = "When did I last fall?";

/** A question of the demo, with its answer. */
export interface DemoAnswer extends AssistantAnswer {
  readonly question: string;
}

/** An assistant that knows the synthetic wearer's day. */
export interface DemoAssistant {
  ask(question: string): Promise<AssistantAnswer>;
  /**
   * One question that the device answers from its diary, and one for the cloud. Of an agent whose alarm is a fall, and whose diary holds
   * no activities, one about the last fall.
   */
  askExamples(hasAlarm: boolean): Promise<readonly DemoAnswer[]>;
  close(): Promise<void>;
}

/** Opens the assistant at its first question. Undefined where its agent is not bundled. */
export function createDemoAssistant(options: {
  readonly diaryFolder: string;
  readonly brokerUrl: string;
  readonly node: string;
  readonly clock: Clock;
}): DemoAssistant | undefined {
  if (!bundledAgents().includes(ASSISTANT)) return undefined;
  const diary = createDiaryReader(options.diaryFolder);
  let opened: ReturnType<typeof open> | undefined;

  async function open() {
    const { brokerUrl, node, clock } = options;
    const { definition, modelPath } = await loadTextAgent(ASSISTANT);
    const model = await IntentModel.open(modelPath);
    model.classify("how long"); // compiled before it is timed
    return createAssistant({
      policy: { ...definition, asks: { text: true, share: ["activity"], deadlineSeconds: DEADLINE_SECONDS } },
      ...{ model, diary, clock },
      connect: (events) => createAsker({ broker: { url: brokerUrl }, site: "home", node, clock, events }),
      forgetToday() {},
      onAnswer() {},
    });
  }

  async function ask(question: string): Promise<AssistantAnswer> {
    opened ??= open();
    return (await opened).ask(question);
  }

  return {
    ask,
    async askExamples(hasAlarm) {
      opened ??= open();
      await opened; // a question is answered in the time of the question
      const { current } = diary.read(options.clock.wall());
      const localQuestion = `How long have I been ${current === undefined ? "sitting" : doingText(current.label)}?`;
      const answers: DemoAnswer[] = [];
      const questions = hasAlarm ? [ALARM_QUESTION] : [localQuestion, CLOUD_QUESTION];
      for (const question of questions) answers.push({ question, ...(await ask(question)) });
      return answers;
    },
    async close() {
      await (await opened)?.close();
    },
  };
}
