import { Book } from "./book";
import en from "./catalogs/en.json";
import type later from "./catalogs/en.behind.json";

export type { Locale } from "./message";

/** Every key there is; English is the measure, `scripts/check-catalogs.mjs` holds the others to it. */
export type MessageKey = keyof typeof en | keyof typeof later;

/**
 * The words of the family member's window. The English ones of what is behind a click come with
 * that, see `screens/behind.ts`; the other languages are each of one piece.
 */
export const windowWords = new Book<MessageKey>(en, {
  de: async () => (await import("./catalogs/de.json")).default,
  es: async () => (await import("./catalogs/es.json")).default,
});
