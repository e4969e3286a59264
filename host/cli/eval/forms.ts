import { percentText, table } from "../../core/system/table.ts";
import { type EvalSetting, wearerRoles } from "../../eval/eval-setting.ts";
import { loadBoard } from "../../power/board.ts";
import { radioKinds } from "../../power/board-power.ts";
import { measureAskForms } from "../../simulate/ask-forms.ts";

/** The board whose radios price the asks. */
const BOARD = "nrf52840-dk";

/** Prints what asks of each form cost and bring, the agent running over whole recordings. */
export async function evalForms(setting: EvalSetting): Promise<void> {
  const { out, agent, model, list } = setting;
  const { score } = wearerRoles(model.manifest.protocol, list);
  const forms = await measureAskForms(setting, score, loadBoard(BOARD));
  out.say(`${agent.definition.name}, ask forms over whole recordings of ${score.length} ${list} wearers; radios of ${BOARD}`);
  const rows = forms.map(({ form, atExit, asked, bytesPerAsk, millijoulesPerAsk, cloudRight, deviceRight, shownRight }) => [
    atExit === undefined ? form : `${form}, exit ${atExit + 1}`,
    asked,
    Math.round(bytesPerAsk),
    ...radioKinds.map((kind) => millijoulesPerAsk[kind].toFixed(1)),
    percentText(cloudRight, 1),
    percentText(deviceRight, 1),
    percentText(shownRight, 2),
  ]);
  const head = ["form", "asked", "B per ask", ...radioKinds.map((kind) => `mJ, ${kind}`), "cloud right", "device right", "shown right"];
  for (const line of table(head, rows)) out.say(line);
  out.document({
    agent: agent.definition.name,
    protocol: "forms",
    board: BOARD,
    forms,
    engine: model.engine,
    imageHash: model.imageHash,
    scored: score,
  });
}
