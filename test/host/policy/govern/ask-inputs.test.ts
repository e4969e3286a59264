import { describe, expect, it } from "vitest";
import { createLoop } from "../../../../host/agent/loop.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { encodePayload, type Payload, SCHEMA_VERSION } from "../../../../host/mqtt/wire/payloads.ts";
import { chooseForm } from "../../../../host/policy/govern/ask-form.ts";
import { createAskInputs } from "../../../../host/policy/govern/ask-inputs.ts";
import { tinyImage } from "../../../golden/tiny-image.ts";
import { seeded } from "../../../support/random.ts";
import { FakeAsker, frames, loopOptions } from "../../agent/fakes.ts";

const FORMS = [
  { form: "raw", worth: 0.99 },
  { form: "features", worth: 0.98 },
  { form: "activations", worth: 0.9 },
] as const;
const limits = { allowedBytes: Number.POSITIVE_INFINITY, maxBytes: 100_000, worthAKilobyte: 0 };

describe("the form of an ask", () => {
  const offers = [
    { ...FORMS[0], bytes: 1536 },
    { ...FORMS[1], bytes: 768 },
    { ...FORMS[2], bytes: 64 },
  ];

  it("is the most useful that privacy and size allow, less what its bytes cost", () => {
    const form = (more: Partial<typeof limits>) => chooseForm(offers, { ...limits, ...more })?.form;
    expect(form({})).toBe("raw");
    expect(form({ allowedBytes: 1535 })).toBe("features");
    expect(form({ maxBytes: 100 })).toBe("activations");
    expect(form({ worthAKilobyte: 0.05 })).toBe("features"); // 0.915, 0.943, 0.897
    expect(form({ worthAKilobyte: 0.5 })).toBe("activations");
    expect(form({ allowedBytes: 63 })).toBeUndefined();
    expect(
      chooseForm(
        [
          { ...offers[0]!, worth: 0.5 },
          { ...offers[1]!, worth: 0.5 },
        ],
        limits,
      )?.form,
    ).toBe("features"); // tells less
  });
});

describe("what an ask carries", () => {
  const image = tinyImage();
  const shape = { patchBytes: image.channels * image.patchFrames, windowPatches: image.windowPatches };

  function run(inputs: readonly { readonly form: "raw" | "features" | "activations"; readonly worth: number }[], gap?: number) {
    const session = Model.load(writeImage(image), { engine: "scalar" }).createSession();
    const gathered = createAskInputs(session, shape, { inputs });
    const random = seeded(5);
    const sent: Int16Array[] = [];
    const decisions: unknown[] = [];
    let tick = 0;
    for (let n = 0; n < 60; n++) {
      tick += n === gap ? 3 : 1;
      const frame = Int16Array.from({ length: image.channels }, () => Math.round((random() - 0.5) * 8000));
      const result = session.pushFrame(frame, tick);
      gathered.gather(frame, result);
      if (result.decision) decisions.push({ ...result.decision, macs: 0 });
      sent.push(frame);
    }
    return { session, gathered, sent, decisions };
  }

  it("is the context as features, the window's frames as raw, a row a patch as activations", async () => {
    const features = run([FORMS[1]]);
    expect(features.gathered.take(0)).toEqual({ patches: features.session.context(), ...shape });
    expect(features.gathered.take(0, 0)).toBeUndefined();

    const raw = run([FORMS[0]]);
    const window = raw.sent.slice(-image.windowPatches * image.patchFrames).flatMap((frame) => [...frame]);
    expect(raw.gathered.take(0, 0)).toBeUndefined();
    const content = raw.gathered.take(0)!;
    expect(content).toMatchObject({ form: "raw", patchBytes: 2 * shape.patchBytes, windowPatches: 8 });
    const { buffer, byteOffset, byteLength } = content.patches;
    const view = new DataView(buffer, byteOffset, byteLength);
    expect(window.map((_, i) => view.getInt16(2 * i, true))).toEqual(window);

    const activations = run([FORMS[2]]);
    const told = activations.gathered.take(0)!;
    expect(told).toMatchObject({ form: "activations", atExit: 0, patchBytes: image.dModel, windowPatches: 8 });
    expect(told.patches.length).toBe(8 * image.dModel);
    expect(told.patches.subarray(-image.dModel)).toEqual(activations.session.features(0));
    for (const { decisions } of [raw, activations]) expect(decisions).toEqual(features.decisions); // gathering decides nothing

    for (const one of [content, told]) {
      const ask = { v: SCHEMA_VERSION, kind: "ask", node: "n", agent: "a", wallMillis: 1, tick: 1, imageHash: "", labels: ["x"], ...one };
      const whole = { ...ask, patches: new Uint8Array(one.patches), local: { label: 0, confidenceQ15: 1, exit: 0 }, deadlineMillis: 1000 };
      expect(() => encodePayload(whole as Payload<"ask">)).not.toThrow();
    }
  });

  it("carries no row from before a gap: features are asked until the window is whole again", async () => {
    const { gathered } = run([FORMS[0], FORMS[1], { ...FORMS[2], worth: 0.985 }], 40);
    expect(gathered.take(0)?.form).toBeUndefined();
  });

  it("asks nothing once the privacy budget of the hour is spent, and the core is told so", async () => {
    const bytes = 24 * 3; // of the fake session's context
    let asker: FakeAsker | undefined;
    const { options, session } = loopOptions([{ why: "ask" }, { why: "ask" }, { why: "ask" }, { why: "exit" }], {
      asks: { privacyBitsAnHour: 2 * 8 * bytes },
      connect: (events) => {
        asker = new FakeAsker(events);
        return asker;
      },
    });
    const loop = createLoop({ ...options, frames: frames(4) });
    await loop.run();
    expect(asker?.queries).toHaveLength(2);
    expect(session.setPoints.at(-1)?.askAllowed).toBe(false);
  });
});
