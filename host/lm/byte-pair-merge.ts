/** A stretch of text while pairs are merged: its bytes as latin1, and its token, −1 if it is none. */
export type Piece = { readonly token: number; readonly key: string };

/** Finds what two neighbours merge to, and how urgent that is: the lowest rank goes first. */
export type FindMerge = (left: Piece, right: Piece) => { readonly rank: number; readonly token: number } | undefined;

/** A pair of neighbours that can be merged, as they were when it was found. */
type Candidate = {
  readonly rank: number;
  readonly token: number;
  /** Index of the left one. */
  readonly at: number;
  readonly left: Piece;
  readonly right: Piece;
};

/**
 * Byte-pair merging (Sennrich et al., arXiv:1508.07909): of all neighbours the pair with the lowest rank is merged, the leftmost of equals,
 * until none can be. A heap over a linked list: n · log n for n pieces.
 */
export function mergePairs(pieces: readonly Piece[], find: FindMerge): Piece[] {
  const count = pieces.length;
  const current: (Piece | undefined)[] = [...pieces];
  const next = Int32Array.from({ length: count }, (_, i) => i + 1);
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  const heap: Candidate[] = [];
  const offer = (at: number): void => {
    const left = current[at];
    const right = left && current[next[at]!];
    if (left === undefined || right === undefined) return;
    const merge = find(left, right);
    if (merge !== undefined) pushHeap(heap, { ...merge, at, left, right });
  };
  for (let i = 0; i + 1 < count; i++) offer(i);
  for (let merge = popHeap(heap); merge !== undefined; merge = popHeap(heap)) {
    const { at, left, right, token } = merge;
    if (current[at] !== left || current[next[at]!] !== right) continue; // one of them has been merged since
    current[next[at]!] = undefined;
    current[at] = { token, key: left.key + right.key };
    next[at] = next[next[at]!]!;
    if (next[at]! < count) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  return current.filter((piece) => piece !== undefined);
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.at < b.at);
}

function pushHeap(heap: Candidate[], item: Candidate): void {
  let at = heap.length;
  heap.push(item);
  for (let parent = (at - 1) >> 1; at > 0 && isBefore(item, heap[parent]!); parent = (at - 1) >> 1) {
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = item;
}

function popHeap(heap: Candidate[]): Candidate | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return top;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
