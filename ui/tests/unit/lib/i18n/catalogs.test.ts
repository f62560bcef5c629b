// @vitest-environment node
import { describe, expect, it } from "vitest";

import {
  disagreements,
  readCatalogs,
  readKioskCatalogs,
  readSources,
  unused,
} from "../../../../scripts/check-catalogs.mjs";

describe.each([
  ["of the window", readCatalogs],
  ["of the wall", readKioskCatalogs],
])("the catalogs %s", (_, read) => {
  it("say the same things in English, German and Spanish", () => {
    const catalogs = read();
    expect(Object.keys(catalogs).sort()).toEqual(["de", "en", "es"]);
    expect(disagreements(catalogs)).toEqual([]);
  });

  it("hold nothing that no screen says", () => {
    expect(unused(Object.keys(read().en ?? {}), readSources())).toEqual([]);
  });
});

describe("the check of the catalogs", () => {
  it.each([
    ["a missing key", { a: "A" }, {}, 'de: "a" is missing'],
    ["an extra key", {}, { a: "A" }, 'de: "a" is not in en'],
    ["another place", { a: "{x}" }, { a: "{y}" }, 'de: "a" has the places {y}, not {x}'],
    ["a lost place", { a: "{x}" }, { a: "A" }, 'de: "a" has the places (none), not {x}'],
    ["an empty sentence", { a: "A" }, { a: " " }, 'de: "a" is empty'],
    [
      "plural forms on one side",
      { a: "A" },
      { a: { one: "A", other: "A" } },
      'de: "a" has plural forms in one language only',
    ],
    [
      "a plural form too few",
      { a: { one: "A", other: "A" } },
      { a: { other: "A" } },
      'de: "a" has the plural forms other, not one,other',
    ],
  ])("finds %s", (_, en, de, sentence) => {
    expect(disagreements({ en, de })).toEqual([sentence]);
  });

  it("knows keys by name and keys made from parts", () => {
    const sources = 't("a.b"); t(`c.${kind}.text`); t(`${key}.named`)';
    expect(unused(["a.b", "c.x.text", "d.named", "a.c", "c.x.title"], sources)).toEqual([
      "a.c",
      "c.x.title",
    ]);
  });
});
