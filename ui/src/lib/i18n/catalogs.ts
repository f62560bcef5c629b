import en from "./catalogs/en.json";
import type { Message } from "./message";

/** A language that has a catalog. */
export type Locale = "en" | "de" | "es";

/** Every key there is; English is the measure, `scripts/check-catalogs.mjs` holds the others to it. */
export type MessageKey = keyof typeof en;

/** All the words of one language. */
export type Catalog = Record<MessageKey, Message>;

/** The catalogs that are here; English comes with the program, the others when somebody asks. */
const here = new Map<Locale, Catalog>([["en", en]]);

const ways: Record<Exclude<Locale, "en">, () => Promise<{ default: Catalog }>> = {
  de: () => import("./catalogs/de.json"),
  es: () => import("./catalogs/es.json"),
};

/** The catalog of a language, once it has been brought. */
export function catalogOf(locale: Locale): Catalog | undefined {
  return here.get(locale);
}

/** Brings the catalog of a language. It comes from the program's own files. */
export async function bringCatalog(locale: Locale): Promise<void> {
  if (locale === "en" || here.has(locale)) return;
  here.set(locale, (await ways[locale]()).default);
}
