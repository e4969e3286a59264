import { expect, it } from "vitest";
import { closeAll } from "../../../../host/core/system/close-all.ts";

it("a step that throws → the others run still, in order, and the first error is thrown", async () => {
  const closed: string[] = [];
  const steps = [
    () => closed.push("a"),
    () => {
      throw new Error("b failed");
    },
    async () => {
      closed.push("c");
      throw new Error("c failed");
    },
    () => closed.push("d"),
  ];
  const error = await closeAll(...steps).catch((thrown: unknown) => thrown as Error);
  expect(closed).toEqual(["a", "c", "d"]);
  expect(error).toMatchObject({ message: "b failed", cause: { errors: [{ message: "c failed" }] } });
  await closeAll(() => closed.push("e"));
  expect(closed.at(-1)).toBe("e");
});
