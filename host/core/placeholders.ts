/** What stands for a scrubbed piece of text, for example `<PHONE_1>`: a kind in capitals and a number that counts from 1. */
const PLACEHOLDER = /<\s*([A-Za-z][A-Za-z0-9]*_[0-9]+)\s*>/g;

/** Every placeholder in a text, with the case and spacing that it was written in. */
export function placeholdersIn(text: string): ReadonlySet<string> {
  return new Set(text.match(PLACEHOLDER) ?? []);
}
