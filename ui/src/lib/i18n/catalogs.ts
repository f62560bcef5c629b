import de from "./catalogs/de.json";
import en from "./catalogs/en.json";
import es from "./catalogs/es.json";
import type { Message } from "./message";

/** A language that has a catalog. */
export type Locale = "en" | "de" | "es";

/** Every key there is; English is the measure, `scripts/check-catalogs.mjs` holds the others to it. */
export type MessageKey = keyof typeof en;

export const catalogs: Record<Locale, Record<MessageKey, Message>> = { en, de, es };
