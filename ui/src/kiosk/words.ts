import { createContext } from "svelte";

import { Book } from "../lib/i18n/book";
import type { Words } from "../lib/i18n/words.svelte";
import en from "./words/en.json";

/** Every key of the wall display's words. */
export type KioskKey = keyof typeof en;

/** The words of the wall display: few, so that they come with its first frame. */
export const kioskWords = new Book<KioskKey>(en, {
  de: async () => (await import("./words/de.json")).default,
  es: async () => (await import("./words/es.json")).default,
});

export const [getKioskWords, setKioskWords] = createContext<Words<KioskKey>>();
