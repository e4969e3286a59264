import { describe, expect, it, vi } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { residualRmsOf } from "../../../host/cloud/continuation.ts";
import { softmax, type TeacherMember } from "../../../host/cloud/ensemble.ts";
import type { CloudQuery } from "../../../host/cloud/provider.ts";
import { createTeacher } from "../../../host/cloud/teacher.ts";
import { quantiseFrame } from "../../../host/core/arithmetic/features.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { Session } from "../../../host/core/session/session-types.ts";
import { ConfigError } from "../../../host/core/system/errors.ts";
import { computeTemperature } from "../../../host/policy/certify/temperature.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { randomPatches, seeded } from "../../support/random.ts";

const labels = ["still", "walk", "run"];

/** A member whose logits are the sums of what it was shown since its reset, so that a test sees what it read. */
function member(
  name: string,
  last: readonly number[],
  more: Partial<TeacherMember> = {},
): TeacherMember & { opened: number; read: number[][] } {
  const made = {
    name,
    labels,
    patchBytes: 4,
    ringPatches: 2,
    temperature: 1,
    opened: 0,
    read: [] as number[][],
    open() {
      made.opened++;
      const session = {
        reset: () => made.read.push([]),
        pushPatch: (patch: Int8Array) => made.read.at(-1)!.push(patch[0]!),
        logits: () => [Int16Array.of(9999, 0, 0), Int16Array.from(last)],
      };
      return session as unknown as Session;
    },
    ...more,
  };
  return made;
}

const query = (more: Partial<CloudQuery> = {}): CloudQuery => ({
  ...{ id: "00".repeat(16), node: "n", agent: "a", imageHash: "", labels, tick: 0, patchBytes: 4, windowPatches: 1, deadlineAtMillis: 1e9 },
  ...{ patches: Int8Array.from({ length: 12 }, (_, i) => i), local: { label: 0, confidenceQ15: 0, exit: 0 } },
  ...more,
});

describe("the teacher", () => {
  it("takes the mean of its members' probabilities at the last exit", async () => {
    const teacher = createTeacher({ members: [member("a", [0, 2048, 0]), member("b", [3072, 0, 0])] });
    const [answer] = await teacher.answer([query()]);
    const one = Math.exp(2) / (Math.exp(2) + 2);
    const other = Math.exp(3) / (Math.exp(3) + 2);
    const rest = 1 / (Math.exp(2) + 2);
    expect(answer).toMatchObject({ ok: true, label: 0, model: "teacher" });
    expect(answer).toMatchObject({ confidence: expect.closeTo((other + rest) / 2, 12) });
    expect((other + rest) / 2).toBeGreaterThan((one + (1 - other) / 2) / 2);
  });

  it("takes each member's softmax at its own temperature before it takes the mean", async () => {
    const sharp = member("sharp", [1024, 0, 0], { temperature: 0.5 });
    const blunt = member("blunt", [0, 1024, 0], { temperature: 4 });
    const [answer] = await createTeacher({ members: [sharp, blunt] }).answer([query()]);
    const first = Math.exp(2) / (Math.exp(2) + 2);
    const second = 1 / (Math.exp(1 / 4) + 2);
    expect(answer).toMatchObject({ ok: true, label: 0, confidence: expect.closeTo((first + second) / 2, 12) });
  });

  it.each([0, -1, Number.NaN])("refuses a member of temperature %d", (temperature) => {
    expect(() => createTeacher({ members: [member("a", [0, 1, 0], { temperature })] })).toThrow(/temperature/);
  });

  it("is as sure as the device that runs the same image on the same patches", async () => {
    const image = activityShaped(3);
    const model = Model.load(writeImage(image));
    const session = model.createSession();
    const last = image.exits.length - 1;
    session.setPoint({
      ...{ maxExit: last, hopPatches: 1024, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: image.exits.map(() => EXIT_NEVER),
    });
    const patches = Int8Array.from({ length: 40 * 24 }, (_, i) => ((i * 37) % 101) - 50);
    for (let at = 0; at < patches.length; at += 24) {
      session.pushPatch(patches.subarray(at, at + 24));
      session.logits(); // 40 patches are more than the rings hold: the blocks above must not fall behind
    }
    const { label, confidenceQ15 } = session.decide();
    const temperature = computeTemperature(image.exits[last]!.temperature);
    const own = {
      name: "own",
      labels: image.manifest.labels,
      patchBytes: 24,
      ringPatches: image.ringPatches,
      temperature,
      open: () => model.createSession(),
    };
    const [answer] = await createTeacher({ members: [own] }).answer([query({ labels: image.manifest.labels, patches, patchBytes: 24 })]);
    expect(answer).toMatchObject({ ok: true, label });
    expect(answer).toMatchObject({ confidence: expect.closeTo(confidenceQ15 / 32768, 3) });
  });

  it("resets before each ask and reads all of its patches, opening each session once", async () => {
    const a = member("a", [0, 1, 0]);
    const teacher = createTeacher({ members: [a] });
    await teacher.answer([query(), query({ patches: Int8Array.of(40, 0, 0, 0) })]);
    await teacher.answer([query()]);
    expect(a.read).toEqual([[0, 4, 8], [40], [0, 4, 8]]);
    expect(a.opened).toBe(1);
  });

  it("refuses other labels, another order of labels and other patches", async () => {
    const teacher = createTeacher({ members: [member("a", [0, 0, 1])] });
    const answers = await teacher.answer([
      query({ labels: ["still", "walk"] }),
      query({ labels: ["walk", "still", "run"] }),
      query({ patchBytes: 6 }),
      query(),
    ]);
    expect(answers.map((answer) => (answer.ok ? "ok" : answer.reason))).toEqual(["labels", "labels", "patches", "ok"]);
  });

  it("refuses members that do not belong together", () => {
    expect(() => createTeacher({ members: [] })).toThrow(ConfigError);
    expect(() => createTeacher({ members: [member("a", []), member("b", [], { labels: ["x"] })] })).toThrow(ConfigError);
    expect(() => createTeacher({ members: [member("a", []), member("b", [], { patchBytes: 8 })] })).toThrow(ConfigError);
  });

  it("tries to open its images again after a failure", async () => {
    let tries = 0;
    const a = member("a", [1, 0, 0]);
    const flaky: TeacherMember = { ...a, open: () => (tries++ === 0 ? Promise.reject(new Error("no such file")) : a.open()) };
    const teacher = createTeacher({ members: [flaky] });
    await expect(teacher.answer([query()])).rejects.toThrow("no such file");
    expect(await teacher.answer([query()])).toMatchObject([{ ok: true, label: 0 }]);
  });

  it("has a softmax that no int16 logits overflow", () => {
    const [high = 0, low = 0] = softmax(Int16Array.of(32767, -32768));
    expect(high + low).toBeCloseTo(1, 12);
    expect(low).toBeGreaterThan(0);
    expect([...softmax(Int16Array.of(5, 5))]).toEqual([0.5, 0.5]);
  });
});

describe("a teacher of real images", () => {
  const images = [activityShaped(3), activityShaped(4)];
  const models = images.map((image) => Model.load(writeImage(image)));
  const realMember = (model: Model, isBatched: boolean): TeacherMember => ({
    name: model.manifest.name,
    labels: model.manifest.labels,
    patchBytes: 24,
    ringPatches: model.image.ringPatches,
    temperature: computeTemperature(model.image.exits.at(-1)!.temperature),
    open: () => model.createSession(),
    ...(isBatched ? { batch: { maxPatches: model.image.contextPatches, open: () => model.createBatch() } } : {}),
    quantise: (frames) =>
      Int8Array.from([0, 1, 2, 3].flatMap((f) => [...quantiseFrame(frames.subarray(6 * f, 6 * f + 6), model.image.features)])),
  });
  const real = (patches: Int8Array, more: Partial<CloudQuery> = {}) =>
    query({ labels: models[0]!.manifest.labels, patches, patchBytes: 24, ...more });
  const random = seeded(9);
  const sequence = (patches: number) => Int8Array.from(randomPatches(random, 24, patches).flatMap((patch) => [...patch]));

  it("gives in batches exactly what it gives one by one", async () => {
    const batch = [128, 40, 128, 7, 100, 128, 64, 1, 90, 128, 33].map((length) => real(sequence(length)));
    const together = createTeacher({ members: models.map((model) => realMember(model, true)) });
    const alone = createTeacher({ members: models.map((model) => realMember(model, false)) });
    expect(await together.answer(batch)).toEqual(await alone.answer(batch));
    expect(await together.answer(batch.slice(0, 2))).toEqual((await alone.answer(batch)).slice(0, 2));
  });

  it.each(["features", "raw"] as const)(
    "reads the last patches of a longer context, as many as its batches have room for: %s",
    async (form) => {
      const session = models[0]!.createSession();
      const pushed = vi.spyOn(session, "pushPatch");
      const teacher = createTeacher({ members: [{ ...realMember(models[0]!, true), open: () => session }] });
      const room = models[0]!.image.contextPatches;
      const patchBytes = form === "raw" ? 48 : 24;
      const long = Int8Array.from({ length: 4 * room * patchBytes }, () => Math.floor(256 * random()) - 128);
      const ask = (patches: Int8Array) => real(patches, { form, patchBytes });
      const [whole, last] = await teacher.answer([ask(long), ask(long.slice(-room * patchBytes))]);
      expect(whole).toEqual(last);
      expect(pushed).toHaveBeenCalledTimes(2 * room);
      expect(await teacher.answer([ask(long), ask(long), ask(long)])).toEqual([whole, whole, whole]);
      expect(pushed).toHaveBeenCalledTimes(2 * room); // three go in one batch, however long
    },
  );

  it("reads raw frames as it would have read the patches that they make", async () => {
    const teacher = createTeacher({ members: [realMember(models[0]!, true)] });
    const frames = Int16Array.from({ length: 32 * 24 }, () => Math.round((random() - 0.5) * 4000));
    const session = models[0]!.createSession();
    for (let tick = 0; tick < 128; tick++) session.pushFrame(frames.subarray(6 * tick, 6 * tick + 6), tick);
    const raw = real(new Int8Array(frames.buffer), { form: "raw", patchBytes: 48 });
    const [seen, told] = await teacher.answer([raw, real(session.context())]);
    expect(seen).toEqual(told);
    const blind = createTeacher({ members: [{ ...realMember(models[0]!, true), quantise: undefined as never }] });
    expect(await blind.answer([raw])).toMatchObject([{ ok: false, reason: "form" }]);
  });

  it("goes on from an exit's activations in the blocks above it", async () => {
    const model = models[0]!;
    const session = model.createSession();
    const patches = sequence(32);
    const rows: number[][] = [[], [], [], []];
    for (let at = 0; at < patches.length; at += 24) {
      session.pushPatch(patches.subarray(at, at + 24));
      for (const exit of [0, 1, 2, 3]) rows[exit]!.push(...session.features(exit));
    }
    const whole = softmax(session.logits().at(-1)!);
    const residualRms = residualRmsOf(model.image, model.createSession(), [sequence(64), sequence(64)]);
    expect(residualRms).toHaveLength(3);
    const own = { name: "own", image: model.image, session: model.createSession(), temperature: 1, residualRms };
    const teacher = createTeacher({ members: [realMember(model, true)], continuations: new Map([[model.imageHash, own]]) });
    const ask = (exit: number, more: Partial<CloudQuery> = {}) =>
      real(Int8Array.from(rows[exit]!), {
        ...{ form: "activations", atExit: exit, imageHash: model.imageHash, patchBytes: model.image.dModel },
        ...more,
      });
    const answers = await teacher.answer([ask(2), ask(2), ask(3), ask(1, { imageHash: "ff" }), ask(1, { patchBytes: 16 })]);
    expect(answers[0]).toMatchObject({ ok: true, model: "teacher/own" });
    expect(answers[1]).toEqual(answers[0]); // nothing is left of the ask before
    expect(answers.slice(2).map((answer) => !answer.ok && answer.reason)).toEqual(["form", "form", "form"]);
    const label = (answers[0] as { label: number }).label;
    expect(whole[label]).toBeGreaterThan(0.5 * Math.max(...whole)); // the size of the skip is a guess: near, not equal
  });
});
