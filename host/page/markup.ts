/** Text for HTML or SVG, with the markup characters escaped. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A coordinate for SVG: two decimals, no trailing zeros. */
export function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}
