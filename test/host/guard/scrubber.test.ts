import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shippedNames } from "../../../host/guard/find-names.ts";
import { createScrubber } from "../../../host/guard/scrubber.ts";

const scrub = (text: string): string => createScrubber().scrub(text);

describe("scrubber", () => {
  it.each([
    ["write to anna.k+band@mail.example.org today", "write to <EMAIL_1> today"],
    ["john at example dot com", "<EMAIL_1>"],
    ["call +49 (0)30 / 123 45 67", "call <PHONE_1>"],
    ["ring 555-0134, or 726.605.2426 x41573", "ring <PHONE_1>, or <PHONE_2>"],
    ["my card is 4111 1111 1111 1111.", "my card is <CARD_1>."],
    ["my card is 4111,1111,1111,1111", "my card is <CARD_1>"],
    ["pay DE89 3704 0044 0532 0130 00 and go", "pay <IBAN_1> and go"],
    ["pay gb82west12345698765432", "pay <IBAN_1>"],
    ["at 192.168.1.20.", "at <IP_1>."],
    ["at fe80::1, not std::vector", "at <IP_1>, not std::vector"],
    ["I am at 52.5200, 13.4050", "I am at <PLACE_1>"],
    ["I am at 52°31'12\"N 13°24'E", "I am at <PLACE_1> <PLACE_2>"],
    ["I live at 221b Baker Street since 2019", "I live at <STREET_1> since 2019"],
    ["on baker street", "on <STREET_1>"],
    ["in der Heinrich-Heine-Str. 12a", "in der <STREET_1>"],
    ["5, rue de la Paix", "<STREET_1>"],
    ["tell Anna Kowalczyk-Smith", "tell <NAME_1>"],
    ["tell nicole brown i am late", "tell <NAME_1> i am late"],
    ["ask Mr. Xyzzy", "ask Mr. <NAME_1>"],
    ["my name is xander quibble", "my name is <NAME_1>"],
    ["order 1234567890123456", "order <NUMBER_1>"],
  ])("takes out of %j what identifies a person", (text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it.each([
    "what was I doing at 10:30, 11:45 and 12:15 on 2026-11-30?",
    "how much did I walk on 12.05.2026",
    "I walked 10000 steps in 10 minutes down the road",
    "Will you mark it? May I hope so? Am I still sitting in May?",
    "wat am i doin",
    "what is the weather in Paris",
    "flight ab123 and my luggage is lost",
  ])("leaves %j as it is", (text) => {
    expect(scrub(text)).toBe(text);
  });

  it("gives a piece one placeholder in all texts of an ask, and restores an answer", () => {
    const scrubber = createScrubber();
    expect(scrubber.scrub("Call Anna at 555-0134, then Anna's mother")).toBe("Call <NAME_1> at <PHONE_1>, then <NAME_1>'s mother");
    expect(scrubber.scrub("555-0134 is Anna")).toBe("<PHONE_1> is <NAME_1>");
    expect(scrubber.restore("I shall call <NAME_1> at <PHONE_1> (<PHONE_2>).")).toBe("I shall call Anna at 555-0134 (<PHONE_2>).");
    expect(scrubber.counts()).toEqual({ NAME: 1, PHONE: 1 });
  });

  it("takes a text that is a placeholder for what it is: an answer cannot fill it", () => {
    const scrubber = createScrubber();
    expect(scrubber.scrub("<PHONE_1> < phone_2 > is 555-0134")).toBe("<TEXT_1> <TEXT_2> is <PHONE_1>");
    expect(scrubber.restore("<TEXT_1> <PHONE_1>")).toBe("<PHONE_1> 555-0134");
  });

  it("restores any text to the bit", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 8 }), // lone surrogates
      fc.constantFrom(
        "<PHONE_1>",
        "<",
        ">",
        "<NAME_1",
        "_1>",
        "4111 1111 1111 1111",
        "555-0134",
        "Anna",
        "at",
        "a@b",
        "\u200b",
        "\u202e",
        "\0",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const scrubber = createScrubber();
        expect(scrubber.restore(scrubber.scrub(text))).toBe(text);
      }),
    );
  });

  it("leaves nothing of a planted secret, however it is written and whatever stands around it", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 7, maxLength: 15 }).map((all) => `9${all.join("")}`);
    const separator = fc.constantFrom("", " ", "-", ".", " - ", "\u00a0", "\u2011", "\u200b");
    const script = fc.constantFrom(0x30, 0x660, 0x966, 0xff10); // ASCII, Arabic, Devanagari, full width
    const around = fc.constantFrom("", " ", "call ", "is it ", "\n", "→ ", "(", "\u202e", "number:");
    fc.assert(
      fc.property(
        digits,
        separator,
        script,
        fc.integer({ min: 2, max: 5 }),
        around,
        around,
        (number, between, zero, group, before, after) => {
          const groups = number.match(new RegExp(`.{1,${group}}`, "g"))!;
          const written = groups.join(between).replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit)));
          const left = scrub(before + written + after).replace(/<[A-Z]+_\d+>/g, "");
          expect(left.match(/\p{Nd}/u)).toBeNull();
        },
      ),
    );
  });

  it("leaves nothing of names and addresses of a list, planted in questions", () => {
    const words = fc.constantFrom("please tell", "is", "i had lunch with", "when did", "write to", "where is");
    const end = fc.constantFrom("", "?", " now", " about my knee.", ", please", "\n");
    const given = [...shippedNames()].filter(([, { isCommon }]) => !isCommon).map(([name]) => name);
    fc.assert(
      fc.property(words, fc.constantFrom(...given), fc.boolean(), end, (before, name, isCapital, after) => {
        const written = isCapital ? name[0]!.toUpperCase() + name.slice(1) : name;
        expect(scrub(`${before} ${written}${after}`)).toBe(`${before} <NAME_1>${after}`);
      }),
    );
  });

  it("takes time in proportion to the text", () => {
    for (const piece of ["1", "a", "@", "A ", "1 a ", "a.", "Ab ", "<", "12 Ab ", ":", "a at ", "(", "°", "1.234 ", "\u0660", "ab12 "]) {
      const text = piece.repeat(20_000 / piece.length);
      const scrubber = createScrubber();
      expect(scrubber.restore(scrubber.scrub(text))).toBe(text);
    }
  });
});

/** The most frequent given names of US births, 1923–2022 (Social Security Administration), and surnames of the US census of 2010. */
const GIVEN =
  "James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony Mark Donald Steven Andrew Paul Joshua Kenneth Kevin Brian Timothy Ronald George Jason Edward Jeffrey Ryan Jacob Nicholas Gary Eric Jonathan Stephen Larry Justin Scott Brandon Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Karen Sarah Lisa Nancy Sandra Betty Ashley Emily Kimberly Margaret Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Dorothy Amy Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha";
const SURNAMES =
  "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores";

describe("recall of names", () => {
  const given = GIVEN.split(" ");
  const surnames = SURNAMES.split(" ");
  const rest = (text: string): string => scrub(text).replace(/<[A-Z]+_\d+>/g, "");

  it("finds every frequent name that is written with a capital, and 9 of 10 given names that are not", () => {
    const full = given.map((name, i) => `${name} ${surnames[i % surnames.length]}`);
    expect(full.filter((name) => rest(`please tell ${name} that I am late`) !== "please tell  that I am late")).toEqual([]);
    expect(surnames.filter((name) => rest(`please tell ${name} that I am late`) !== "please tell  that I am late")).toEqual([]);
    const found = given.filter((name) => rest(`please tell ${name.toLowerCase()} that i am late`) === "please tell  that i am late");
    expect(found.length / given.length).toBeGreaterThanOrEqual(0.9);
  });
});
