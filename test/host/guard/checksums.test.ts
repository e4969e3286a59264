import { describe, expect, it } from "vitest";
import { ibanLength, isIban, isLuhn } from "../../../host/guard/checksums.ts";

/** Published examples: test numbers of the card networks, and examples of the IBAN registry. */
const CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904"];
const IBANS = [
  "GB82WEST12345698765432",
  "DE89370400440532013000",
  "FR1420041010050500013M02606",
  "NO9386011117947",
  "MT84MALT011000012345MTLCAST001S",
  "IR580540105180021273113007",
];

describe("checksums", () => {
  it("pass the examples that their publishers give", () => {
    for (const card of CARDS) expect(isLuhn(card)).toBe(true);
    for (const iban of IBANS)
      expect([isIban(iban), isIban(iban.toLowerCase()), ibanLength(iban.slice(0, 2))]).toEqual([true, true, iban.length]);
  });

  it("fail when any one digit is changed", () => {
    const changed = (text: string) =>
      [...text].flatMap((character, at) =>
        /\d/.test(character) ? [text.slice(0, at) + ((Number(character) + 1) % 10) + text.slice(at + 1)] : [],
      );
    for (const card of CARDS) for (const other of changed(card)) expect(isLuhn(other)).toBe(false);
    for (const iban of IBANS) for (const other of changed(iban)) expect(isIban(other)).toBe(false);
  });

  it("know no IBAN of a country without any", () => {
    expect(["US", "ZZ", "15", "O1", "E1"].map(ibanLength)).toEqual([0, 0, 0, 0, 0]);
  });
});
