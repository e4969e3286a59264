import { defineConfig } from "vitest/config";
import Tally from "./support/tally.ts";

// The same specs over every build of the core: a project an engine. `npm test` builds first.
const specs = (name: string, include: string[], env: Record<string, string> = {}) => ({
  test: {
    name,
    include,
    env,
    root: import.meta.dirname,
    setupFiles: [`${import.meta.dirname}/support/seed.ts`],
    // A bound for what hangs, never for what is slow: another program may have both cores.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: `${import.meta.dirname}/support/setup.ts`,
    reporters: ["default", new Tally()],
    projects: [
      specs("scalar", ["assembly/**/*.test.ts"], { DORMOUSE_BUILD: "scalar" }),
      specs("simd", ["assembly/**/*.test.ts"], { DORMOUSE_BUILD: "simd" }),
      specs("host", ["host/**/*.test.ts", "agents/**/*.test.ts", "bench/**/*.test.ts"]),
      specs("boards", ["boards/**/*.test.ts"]),
    ],
  },
});
