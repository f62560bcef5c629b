import type { Locale, Message } from "./message";

/** What a window says in one language, as far as it has been brought. */
export type Catalog<Key extends string> = Partial<Record<Key, Message>>;

type Ways<Key extends string> = Record<Exclude<Locale, "en">, () => Promise<Catalog<Key>>>;

/** The catalogs of one window. English comes with the program, the others when somebody asks. */
export class Book<Key extends string> {
  readonly #ways: Ways<Key>;
  #here: Partial<Record<Locale, Catalog<Key>>>;

  constructor(english: Catalog<Key>, ways: Ways<Key>) {
    this.#here = { en: english };
    this.#ways = ways;
  }

  /** The catalog of a language, once it has been brought. */
  of(locale: Locale): Catalog<Key> | undefined {
    return this.#here[locale];
  }

  /** Brings the catalog of a language. It comes from the program's own files. */
  async bring(locale: Locale): Promise<void> {
    if (locale !== "en") this.#here[locale] ??= await this.#ways[locale]();
  }

  /** Adds the English words of screens that have come after the first frame. */
  addEnglish(more: Catalog<Key>): void {
    this.#here.en = { ...this.#here.en, ...more };
  }
}
