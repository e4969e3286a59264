/** Runs every seed, at most `workers` at once, in order of their beginning. The first failure begins no more, waits for those under way, and is thrown. */
export async function runSeeds(seeds: readonly number[], workers: number, runSeed: (seed: number) => Promise<void>): Promise<void> {
  const waiting = [...seeds];
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined && !failure; seed = waiting.shift()) {
      try {
        await runSeed(seed);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, seeds.length) }, work));
  if (failure) throw failure.error;
}
