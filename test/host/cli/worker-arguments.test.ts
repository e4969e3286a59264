import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../host/cli/program.ts";
import { until } from "../../support/until.ts";
import { fakeIo } from "./fake-io.ts";

/** Arguments and environments of the processes that this one has started. */
function children(): { args: string; env: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) !== process.pid) return [];
        return [{ args: readFileSync(`/proc/${pid}/cmdline`, "utf8"), env: readFileSync(`/proc/${pid}/environ`, "utf8") }];
      } catch {
        return []; // it has ended meanwhile
      }
    })
    .filter(({ args }) => args.includes("dormouse.js"));
}

describe.runIf(process.platform === "linux")("the processes of cloud --workers", () => {
  it("user, password and collector's URL are in their environment → ps shows none of them", async () => {
    const broker = "mqtt://joe:hunter%2F22@127.0.0.1:1";
    const { io, interrupt } = fakeIo({ env: { PATH: "" } });
    const running = runCli(["cloud", "--workers", "2", "--json", "--broker", broker, "--otlp", "http://joe:hunter33@127.0.0.1:1"], io);
    await until(() => children().length === 2, "two workers have started");
    const seen = children();
    interrupt();
    await running;
    for (const { args, env } of seen) {
      expect(args).toContain("mqtt://127.0.0.1:1");
      expect(args).not.toMatch(/hunter|joe/);
      expect(env).toContain("DORMOUSE_BROKER_USER=joe\0");
      expect(env).toContain("DORMOUSE_BROKER_PASSWORD=hunter/22\0");
    }
  });
});
