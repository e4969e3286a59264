/** A capture of what went through a wire, by stream: bytes that came in pieces are joined before they are searched. */
export interface Capture {
  add(stream: string, bytes: Uint8Array): void;
  readonly bytes: number;
  /** Which of the secrets stand in it, and how they are written there. */
  leaks(secrets: readonly string[]): string[];
}

export function createCapture(): Capture {
  const streams = new Map<string, Buffer[]>();
  let total = 0;
  return {
    add(stream, bytes) {
      total += bytes.length;
      const parts = streams.get(stream) ?? [];
      parts.push(Buffer.from(bytes));
      streams.set(stream, parts);
    },
    get bytes() {
      return total;
    },
    leaks(secrets) {
      const found = new Set<string>();
      for (const parts of streams.values()) {
        const all = Buffer.concat(parts);
        for (const secret of secrets) {
          for (const [how, bytes] of writings(secret)) if (all.includes(bytes)) found.add(`${secret} as ${how}`);
        }
      }
      return [...found];
    },
  };
}

/** A secret as it might be written: its text, its digits alone, both in UTF-8, UTF-16, hex and base64 at each of the three alignments. */
function writings(secret: string): [string, Buffer][] {
  const digits = secret.replace(/\D/g, "");
  return [secret, secret.toLowerCase(), secret.toUpperCase(), ...(digits.length >= 6 ? [digits] : [])].flatMap(
    (text): [string, Buffer][] => {
      const utf8 = Buffer.from(text);
      const base64 = [0, 1, 2].flatMap((lead) => {
        const encoded = Buffer.concat([Buffer.alloc(lead), utf8]).toString("base64");
        // What the bytes before and after decide is left off.
        const whole = encoded.slice(lead === 0 ? 0 : lead + 1, Math.floor(((lead + utf8.length) * 8) / 6));
        return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")];
      });
      return [
        [`${text} in UTF-8`, utf8],
        [`${text} in UTF-16`, Buffer.from(text, "utf16le")],
        [`${text} in hex`, Buffer.from(utf8.toString("hex"))],
        ...base64.map((one): [string, Buffer] => [`${text} in base64`, Buffer.from(one)]),
      ];
    },
  );
}
