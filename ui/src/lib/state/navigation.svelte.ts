import { createContext } from "svelte";

import type { Stage } from "../wire/Stage";

/** The pages a person can choose; which screen `home` is, the session decides. */
export type Page = "home" | "account" | "settings";

/** Where in the window the person is. No addresses: a desktop window has no history to keep. */
export class Navigation {
  #page = $state<Page>("home");
  #stage: Stage["kind"] | null = null;

  get page() {
    return this.#page;
  }

  /** A new stage of the session is more important than the page somebody was on. */
  follow(stage: Stage["kind"]) {
    if (stage === this.#stage) return;
    this.#stage = stage;
    this.#page = "home";
  }

  go = (page: Page) => {
    this.#page = page;
  };

  home = () => this.go("home");
}

export const [getNavigation, setNavigation] = createContext<Navigation>();
