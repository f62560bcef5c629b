import { createContext } from "svelte";

import type { KioskCommandName, KioskHost } from "../host/host";
import type { AppError } from "../wire/AppError";
import type { KioskSnapshot } from "../wire/KioskSnapshot";
import { errorOf } from "../host/host";

/** Older than everything Rust sends. */
const BEFORE_ALL: KioskSnapshot = {
  revision: -1,
  stage: { kind: "starting" },
  connection: { kind: "checking" },
  clock_offset_ms: 0,
  problem: null,
};

/** The wall display: Rust owns the truth, this holds the newest copy and passes touches on. */
export class KioskState {
  readonly #host: KioskHost;
  #snapshot = $state.raw<KioskSnapshot>(BEFORE_ALL);
  #refused = $state.raw<AppError | null>(null);
  #busy = $state<KioskCommandName | null>(null);

  constructor(host: KioskHost, start?: KioskSnapshot) {
    this.#host = host;
    if (start) this.accept(start);
  }

  /** Where the display stands. */
  get stage() {
    return this.#snapshot.stage;
  }

  /** Whether the family server could be reached lately. */
  get connection() {
    return this.#snapshot.connection;
  }

  /** What to add to this computer's clock to have the server's, in ms. */
  get offset() {
    return this.#snapshot.clock_offset_ms;
  }

  /** What is wrong: the refusal of the last touch, else what Rust reports. */
  get problem(): AppError | null {
    return this.#refused ?? this.#snapshot.problem;
  }

  /** The touch that Rust has not answered yet. */
  get busy() {
    return this.#busy;
  }

  /** Begins to follow the display. */
  follow = () => this.#quietly(() => this.#host.watchKiosk((next) => this.accept(next)));

  /** Replaces the copy as a whole, unless a newer one is here already. */
  accept(next: KioskSnapshot) {
    if (next.revision < this.#snapshot.revision) return;
    this.#snapshot = next;
    this.#refused = null;
  }

  /** Somebody wants a code to be shown. */
  showCode = () => this.#touch("show_code");

  /** Somebody wants the keyring to be asked again. */
  retryStorage = () => this.#touch("retry_kiosk_storage");

  async #touch(command: "show_code" | "retry_kiosk_storage") {
    if (this.#busy) return;
    this.#busy = command;
    await this.#quietly(() => this.#host.call(command));
    this.#busy = null;
  }

  async #quietly(wish: () => Promise<void>) {
    this.#refused = null;
    try {
      await wish();
    } catch (thrown) {
      this.#refused = errorOf(thrown);
    }
  }
}

export const [getKiosk, setKiosk] = createContext<KioskState>();
