import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadClinc150 } from "../../../host/data/clinc150.ts";
import { isTextCsv, loadTextCsv } from "../../../host/data/csv/text-csv.ts";
import { tempFolder } from "../cli/temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const full = {
  train: [
    ["what time is it", "time"],
    ["hello there", "greeting"],
  ],
  val: [["tell me the time", "time"]],
  test: [["the time please", "time"]],
  oos_train: [["who sang it", "oos"]],
  oos_val: [["why", "oos"]],
  oos_test: [["how so", "oos"]],
};
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "nothing";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it("CLINC150 is read from its folder or the one above", () => {
  mkdirSync(join(folder.path, "clinc150"));
  writeFileSync(join(folder.path, "clinc150", "data_full.json"), JSON.stringify(full));
  for (const dir of [folder.path, join(folder.path, "clinc150")]) {
    const { intents, train, outOfScope } = loadClinc150(dir);
    expect(intents).toEqual(["greeting", "time"]);
    expect(train[0]).toEqual({ text: "what time is it", label: "time" });
    expect(outOfScope.test).toEqual([{ text: "how so", label: "oos" }]);
  }
});

it.each([
  ["nothing", undefined, "CLINC_MISSING"],
  ["no JSON", "{", "CLINC_INVALID"],
  ["another data set", JSON.stringify({ train: [] }), "CLINC_INVALID"],
])("CLINC150: %s is refused by name", (_, content, code) => {
  if (content !== undefined) writeFileSync(join(folder.path, "data_full.json"), content);
  expect(codeOf(() => loadClinc150(folder.path))).toBe(code);
});

it("a CSV of texts: columns in any order, quoted commas, every fifth text of a label validates", () => {
  const path = join(folder.path, "texts.csv");
  const rows = Array.from({ length: 20 }, (_, i) => `${i % 2 === 0 ? "yes" : "oos"},"text, ${i}"`);
  writeFileSync(path, `Label,Text\n${rows.join("\n")}\n`);
  expect(isTextCsv(path)).toBe(true);
  writeFileSync(join(folder.path, "imu.csv"), "time,ax,label\n0,1,walk\n");
  expect(isTextCsv(join(folder.path, "imu.csv"))).toBe(false);
  expect(codeOf(() => loadTextCsv(path))).toBe("TEXT_CSV"); // one label besides oos
  writeFileSync(path, `Label,Text\n${[...rows, ...Array.from({ length: 5 }, (_, i) => `no,no ${i}`)].join("\n")}\n`);
  const { labels, outOfScope, fit, validation } = loadTextCsv(path);
  expect({ labels, outOfScope }).toEqual({ labels: ["no", "oos", "yes"], outOfScope: ["oos"] });
  expect([fit.length, validation.length]).toEqual([20, 5]);
  expect(fit[0]).toEqual({ text: "text, 0", label: "yes" });
});

it("a CSV with too few texts of a label is refused by name", () => {
  const path = join(folder.path, "texts.csv");
  writeFileSync(path, "text,label\nhi,a\nho,b\n");
  expect(codeOf(() => loadTextCsv(path))).toBe("TEXT_CSV");
});
