/** Rows as aligned columns, two spaces between them, the first row being the head. Numbers align right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return cells.map((row) =>
    row
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}

/** Bytes for people: 512 B, 17.9 KiB, 2.0 MiB, 8.0 GiB. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** A number with thousands separators: 2,141. */
export function numberText(value: number, digits = 0): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A share of one as per cent: 96.1 %. */
export function percentText(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A difference of two shares in points of per cent, with its sign: +0.52, −1.2, 0.0. */
export function pointsText(difference: number, digits = 0): string {
  const size = Math.abs(100 * difference).toFixed(digits);
  return `${Number(size) === 0 ? "" : difference < 0 ? "−" : "+"}${size}`;
}

/** A count and its noun: 1 change, 1,389 windows. */
export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Parts with · between them, leaving out what does not fit into `columns`; the first is always there. */
export function joinedToFit(parts: readonly string[], columns: number): string {
  return parts.slice(1).reduce((text, part) => (text.length + part.length + 3 <= columns ? `${text} · ${part}` : text), parts[0] ?? "");
}

/** Elapsed seconds as m:ss or h:mm:ss. */
export function elapsedText(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
