import { createContext } from "svelte";

import type { Stage } from "../wire/Stage";

/** The pages a person can choose; which screen `home` is, the session decides. */
export type Page = "home" | "family" | "account" | "settings" | "link";

/** Where in the window the person is. No addresses: a desktop window has no history to keep. */
export class Navigation {
  #page = $state<Page>("home");
  /** The page that waits for somebody who is away in the browser and stays signed in. */
  #kept = $state<Page | null>(null);
  #stage: Stage["kind"] | null = null;

  get page() {
    return this.#page;
  }

  /** The page inside: the one that waits, while somebody is away, else the one that is shown. */
  get inside(): Page {
    return this.#kept ?? this.#page;
  }

  /**
   * A new stage of the session is more important than the page somebody was on. Whoever is only
   * `away`, to confirm or change something in the browser, finds their page again.
   */
  follow(stage: Stage["kind"], away: boolean) {
    if (stage === this.#stage) return;
    this.#stage = stage;
    const back = stage === "signed_in" ? this.#kept : null;
    this.#kept = away ? this.inside : null;
    this.#page = back ?? "home";
  }

  go = (page: Page) => {
    this.#page = page;
  };

  home = () => this.go("home");
}

export const [getNavigation, setNavigation] = createContext<Navigation>();
