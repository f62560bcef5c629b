import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { details, ERRORS } from "../../../src/lib/errors";
import { problem } from "../../../src/lib/host/scenes";
import { windowWords, type Locale } from "../../../src/lib/i18n/catalogs";

const generated = readFileSync("src/lib/wire/ErrorCode.ts", "utf8");
const codes = [...generated.matchAll(/"([a-z_.]+)"/g)].map(([, code]) => code);

describe("the words for errors", () => {
  it("cover every code that Rust can send, and no other", () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(Object.keys(ERRORS).sort()).toEqual([...codes].sort());
  });

  it.each<Locale>(["en", "de", "es"])("are two whole sentences for every code in %s", (locale) => {
    for (const { what, todo } of Object.values(ERRORS)) {
      for (const key of [what, todo]) {
        expect(windowWords.of(locale)?.[key], key).toMatch(/^\p{Lu}.{8,}\.$/u);
      }
    }
  });

  it("never show a code, which is for whoever helps", () => {
    for (const key of Object.values(ERRORS).flatMap(({ what, todo }) => [what, todo])) {
      expect(windowWords.of("en")?.[key], key).not.toMatch(/AADB2C|[a-z]+_[a-z]+|\berror\b/i);
    }
  });
});

describe("the details", () => {
  const at = Date.UTC(2026, 10, 3, 17, 2);

  it("carry code, reason, correlation id and time", () => {
    expect(details(problem("token.rejected"), at)).toBe(
      [
        "Code: token.rejected",
        "Reason: AADB2C90080",
        "Correlation id: b5c6e7f8-0a1b-4c2d-9e3f-405162738495",
        "Time: 2026-11-03T17:02:00.000Z",
        "Message: What the log says about token.rejected.",
        "Luminous: 0.0.0-test",
      ].join("\n"),
    );
  });

  it("leave out what is not known", () => {
    const bare = { ...problem("internal"), reason: null, correlation_id: null };
    expect(details(bare, at)).not.toMatch(/Reason|Correlation/);
  });
});
