/** A language that has catalogs. */
export type Locale = "en" | "de" | "es";

/** A sentence, or one for each plural form that the language has. */
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

/** What is put into a sentence; `count` also chooses its plural form. */
export interface Values {
  readonly count?: number;
  readonly [name: string]: string | number | undefined;
}

const LOCALES: readonly Locale[] = ["en", "de", "es"];

/** The first language of the person that we speak, else English. */
export function choose(languages: readonly string[]): Locale {
  return languages.map(localeOf).find((locale) => locale !== undefined) ?? "en";
}

/** The catalog for a language tag like `de-AT`, if there is one. */
export function localeOf(tag: string): Locale | undefined {
  const language = tag.toLowerCase().split(/[-_]/)[0];
  return LOCALES.find((locale) => locale === language);
}

/** The plural form of a message for a count. */
export function pick(message: Message, locale: Locale, count: number | undefined): string {
  if (typeof message === "string") return message;
  const form = new Intl.PluralRules(locale).select(count ?? 0);
  return message[form] ?? message.other ?? "";
}

/** Puts the values into the places that the sentence names in braces. They stay plain text. */
export function fill(sentence: string, locale: Locale, values: Values): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? new Intl.NumberFormat(locale).format(value) : value;
  });
}
