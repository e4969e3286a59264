import { createHash } from "node:crypto";
import type { CloudQuery, Provider } from "../cloud/provider.ts";
import { ModelError } from "../core/system/errors.ts";

/** A simulated cloud's answer about a stretch of patches. */
export interface CloudWord {
  readonly label: number;
  readonly confidence: number;
}

/** The cloud behind the simulated network: the real provider, with a cache of its answers. */
export interface SimulatedCloud {
  answer(query: CloudQuery): Promise<CloudWord>;
  /** Questions computed by the provider. */
  readonly worked: number;
}

/** Cache of answers by patches and form: a day that loops its recordings repeats most questions. */
export function createSimulatedCloud(provider: Provider): SimulatedCloud {
  const known = new Map<string, Promise<CloudWord>>();
  let worked = 0;
  return {
    get worked() {
      return worked;
    },
    answer(query) {
      const key = `${query.form ?? "features"} ${query.atExit ?? ""} ${createHash("sha1").update(query.patches).digest("base64")}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      worked++;
      const word = provider.answer([query]).then(([answer]) => {
        if (answer?.ok) return { label: answer.label, confidence: answer.confidence };
        throw new ModelError(
          "CLOUD_REFUSED",
          `the teacher refused an ask (${answer?.reason ?? "no answer"}). Export it with the device's labels and patches.`,
        );
      });
      known.set(key, word);
      return word;
    },
  };
}
