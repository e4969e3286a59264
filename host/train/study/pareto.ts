/** One trial as a search judges it. */
export interface Candidate {
  readonly key: string;
  readonly accuracy: number; // more is better
  readonly instructions: number; // less is better
  readonly arenaBytes: number; // less is better
}

/** Those that no other candidate is at least as good as in everything and better in something, the cheapest first. */
export function paretoFront<C extends Candidate>(candidates: readonly C[]): C[] {
  return candidates
    .filter((one) => !candidates.some((other) => dominates(other, one)))
    .sort((a, b) => a.instructions - b.instructions || b.accuracy - a.accuracy);
}

function dominates(a: Candidate, b: Candidate): boolean {
  const isAsGood = a.accuracy >= b.accuracy && a.instructions <= b.instructions && a.arenaBytes <= b.arenaBytes;
  return isAsGood && (a.accuracy > b.accuracy || a.instructions < b.instructions || a.arenaBytes < b.arenaBytes);
}
