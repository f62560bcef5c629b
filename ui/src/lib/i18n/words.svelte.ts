import { createContext } from "svelte";

import type { Language } from "../wire/Language";
import type { Book } from "./book";
import type { MessageKey } from "./catalogs";
import { choose, fill, localeOf, pick, type Locale, type Values } from "./message";

/** Who knows which language was chosen. */
interface Chosen {
  readonly language: Language;
}

/** The words of a window, in the language that was chosen or the one the system speaks. */
export class Words<Key extends string> {
  readonly #book: Book<Key>;
  readonly #settings: Chosen;
  readonly #systemLanguages: readonly string[];
  /** What the words stay in while another language is on its way. */
  #before = $state<Locale>("en");

  constructor(
    book: Book<Key>,
    settings: Chosen,
    systemLanguages: readonly string[] = navigator.languages,
  ) {
    this.#book = book;
    this.#settings = settings;
    this.#systemLanguages = systemLanguages;
  }

  /** The language the words are in: the wanted one as soon as its catalog is here. */
  get locale(): Locale {
    // Read in any case, so that whoever shows words learns that a catalog has come.
    const before = this.#before;
    const wanted = wantedLocale(this.#settings.language, this.#systemLanguages);
    return this.#book.of(wanted) ? wanted : before;
  }

  /** Brings the catalog of the wanted language; nothing changes before all of it is here. */
  async follow(): Promise<void> {
    const wanted = wantedLocale(this.#settings.language, this.#systemLanguages);
    await this.#book.bring(wanted);
    this.#before = wanted;
  }

  /** The sentence for a key. `count` chooses the plural form. */
  t = (key: Key, values: Values = {}): string =>
    fill(pick(this.#message(key), this.locale, values.count), this.locale, values);

  /** `14:05` on the day itself, with the date on any other. Both in Unix time, ms. */
  time = (at: number, now: number): string => {
    const today = dayOf(at) === dayOf(now);
    return this.#date(
      at,
      today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" },
    );
  };

  /** A day and a time, spelled out. Unix time, ms. */
  moment = (at: number): string => this.#date(at, { dateStyle: "long", timeStyle: "short" });

  /** The time of day: `14:05`. Unix time, ms. */
  hour = (at: number): string => this.#date(at, { timeStyle: "short" });

  /** A day as one says it: `Tuesday, 3 November`. Unix time, ms. */
  day = (at: number): string => this.#date(at, { weekday: "long", day: "numeric", month: "long" });

  #message(key: Key) {
    return this.#book.of(this.locale)?.[key] ?? key;
  }

  /** The person's own way to write dates in this language: `en-GB` rather than `en`. */
  get #region(): string {
    const { locale } = this;
    return this.#systemLanguages.find((tag) => localeOf(tag) === locale) ?? locale;
  }

  #date(at: number, how: Intl.DateTimeFormatOptions) {
    return new Intl.DateTimeFormat(this.#region, how).format(at);
  }
}

export const [getWords, setWords] = createContext<Words<MessageKey>>();

/** The language that was chosen, or the first of the system's that we speak. */
export function wantedLocale(chosen: Language, system: readonly string[]): Locale {
  return chosen === "system" ? choose(system) : chosen;
}

/** A day of this computer's calendar, only good for comparing. */
function dayOf(at: number): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "short" }).format(at);
}
