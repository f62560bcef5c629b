import { createContext } from "svelte";

import { errorOf, type Host } from "../host/host";
import type { Settings } from "../wire/Settings";
import type { Trouble } from "./session.svelte";
import type { Clock } from "./clock.svelte";

const DEFAULTS: Settings = { language: "system", theme: "system" };

/** What the person chose about the window. A choice holds at once and goes back if Rust refuses. */
export class SettingsState {
  readonly #host: Host;
  readonly #clock: Clock;
  #chosen = $state.raw<Settings>(DEFAULTS);
  #trouble = $state.raw<Trouble | null>(null);

  constructor(host: Host, clock: Clock, start?: Settings) {
    this.#host = host;
    this.#clock = clock;
    if (start) this.#chosen = start;
  }

  get language() {
    return this.#chosen.language;
  }

  get theme() {
    return this.#chosen.theme;
  }

  /** Why the last choice could not be kept. */
  get trouble() {
    return this.#trouble;
  }

  /** Asks Rust what was chosen before; needed only when the start did not say. */
  async load() {
    await this.#try(async () => {
      this.#chosen = await this.#host.call("load_settings");
    });
  }

  /** Chooses anew. */
  async choose(change: Partial<Settings>) {
    const before = this.#chosen;
    const settings = { ...before, ...change };
    this.#chosen = settings;
    const kept = await this.#try(() => this.#host.call("save_settings", { settings }));
    if (!kept && this.#chosen === settings) this.#chosen = before;
  }

  /** Puts what went wrong away. */
  dismiss = () => {
    this.#trouble = null;
  };

  async #try(wish: () => Promise<void>): Promise<boolean> {
    this.#trouble = null;
    try {
      await wish();
      return true;
    } catch (thrown) {
      this.#trouble = { error: errorOf(thrown), at: this.#clock.read() };
      return false;
    }
  }
}

export const [getSettings, setSettings] = createContext<SettingsState>();
