import { describe, expect, it, vi } from "vitest";

import { FakeHost } from "../../../../src/lib/host/fake";
import { scenes } from "../../../../src/lib/host/scenes";
import { choose, fill, pick } from "../../../../src/lib/i18n/message";
import { windowWords } from "../../../../src/lib/i18n/catalogs";
import { Words } from "../../../../src/lib/i18n/words.svelte";
import { Clock } from "../../../../src/lib/state/clock.svelte";
import { SettingsState } from "../../../../src/lib/state/settings.svelte";
import type { Language } from "../../../../src/lib/wire/Language";

function words(language: Language, system: string[] = []) {
  const chosen = { language, theme: "system" } as const;
  const host = new FakeHost(scenes.home(), chosen);
  return new Words(windowWords, new SettingsState(host, new Clock(), chosen), system);
}

describe("the language", () => {
  it.each([
    [["de-AT", "en"], "de"],
    [["fr", "es-419"], "es"],
    [["EN_us"], "en"],
    [["zh-Hant", "ja"], "en"],
    [[], "en"],
  ])("for a system that speaks %j is %s", (languages, locale) => {
    expect(choose(languages)).toBe(locale);
    expect(words("system", languages).locale).toBe(locale);
  });

  it("is the chosen one, whatever the system speaks", () => {
    expect(words("es", ["de"]).t("nav.account")).toBe("Cuenta");
  });
});

describe("a catalog that is not here yet", () => {
  it("leaves the words as they are until all of it has come, and shows no key", async () => {
    vi.resetModules();
    const { windowWords: book } = await import("../../../../src/lib/i18n/catalogs");
    const chosen = { language: "en", theme: "system" } as const;
    const settings = new SettingsState(new FakeHost(scenes.home(), chosen), new Clock(), chosen);
    const fresh = new Words(book, settings, []);
    await settings.choose({ language: "de" });
    expect([fresh.locale, fresh.t("nav.account")]).toEqual(["en", "Account"]);
    await fresh.follow();
    expect([fresh.locale, fresh.t("nav.account")]).toEqual(["de", "Konto"]);
  });
});

describe("a sentence", () => {
  it("takes the plural form of its count", () => {
    const { t } = words("de");
    expect(t("waiting.left", { count: 1 })).toBe("Luminous wartet noch 1 Minute auf dich.");
    expect(t("waiting.left", { count: 9 })).toBe("Luminous wartet noch 9 Minuten auf dich.");
  });

  it("falls back to the general form when the rules ask for one it lacks", () => {
    expect(pick({ one: "one", other: "other" }, "es", 1_000_000)).toBe("other");
  });

  it("puts values in as they are, even when they look like a place or like markup", () => {
    expect(fill("{a} {b}", "en", { a: "{b}", b: "<b>$&</b>" })).toBe("{b} <b>$&</b>");
  });

  it("writes numbers the way the language does", () => {
    expect(fill("{count}", "de", { count: 12_345 })).toBe("12.345");
  });

  it("shows a place nobody filled, so that it is found", () => {
    expect(fill("Hello, {name}", "en", {})).toBe("Hello, {name}");
  });
});

describe("times", () => {
  const at = new Date(2026, 10, 3, 14, 5).getTime();

  it("are hours on the same day and carry the date on another", () => {
    const { time } = words("de");
    expect(time(at, at + 60_000)).toBe("14:05");
    expect(time(at, at + 24 * 3_600_000)).toBe("03.11.2026, 14:05");
  });

  it("follow the person's region, as long as it speaks the chosen language", () => {
    expect(words("en", ["en-GB"]).time(at, at)).toBe("14:05");
    expect(words("en", ["en-US"]).time(at, at)).toMatch(/^2:05\sPM$/);
    expect(words("de", ["en-US"]).time(at, at)).toBe("14:05");
  });

  it("are spelled out where there is room", () => {
    expect(words("es").moment(at)).toMatch(/^3 de noviembre de 2026(,| a las) 14:05$/);
  });
});
