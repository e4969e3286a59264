/** The last answers by key, least recently used out first: a repeated ask gets the answer it had. Best effort, never durable. */
export interface AnswerCache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  readonly size: number;
}

export function createAnswerCache<V>(maxEntries: number): AnswerCache<V> {
  const map = new Map<string, V>(); // oldest use first
  return {
    get size() {
      return map.size;
    },
    get(key) {
      const value = map.get(key);
      if (value === undefined) return undefined;
      map.delete(key);
      map.set(key, value);
      return value;
    },
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      if (map.size > maxEntries) map.delete(map.keys().next().value!);
    },
  };
}
