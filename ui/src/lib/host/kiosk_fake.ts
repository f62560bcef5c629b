import type { AppError } from "../wire/AppError";
import type { KioskSnapshot } from "../wire/KioskSnapshot";
import type { Settings } from "../wire/Settings";
import {
  Refused,
  type KioskCommandName,
  type KioskCommands,
  type KioskHost,
  type KioskTakes,
} from "./host";
import { codeStage, wallNotes, wallStage } from "./kiosk_scenes";

type Script = {
  [C in KioskCommandName]: (takes: KioskCommands[C]["takes"]) => KioskCommands[C]["answers"];
};

/** A wall's host without Rust, for tests and the preview. Never part of the product's bundle. */
export class FakeKiosk implements KioskHost {
  /** Every call so far, in order. */
  readonly calls: { readonly command: KioskCommandName; readonly takes: unknown }[] = [];
  snapshot: KioskSnapshot;
  settings: Settings;
  #listeners: ((snapshot: KioskSnapshot) => void)[] = [];
  #refusals = new Map<KioskCommandName, AppError>();

  constructor(snapshot: KioskSnapshot, settings: Settings) {
    this.snapshot = snapshot;
    this.settings = settings;
  }

  call<C extends KioskCommandName>(command: C, ...takes: KioskTakes<C>) {
    this.calls.push({ command, takes: takes[0] });
    const refusal = this.#refusals.get(command);
    if (refusal) {
      this.#refusals.delete(command);
      return Promise.reject(new Refused(refusal));
    }
    return Promise.resolve(this.#script[command](takes[0] ?? {}));
  }

  watchKiosk(listener: (snapshot: KioskSnapshot) => void): Promise<void> {
    this.#listeners.push(listener);
    listener(this.snapshot);
    return Promise.resolve();
  }

  /** Moves on to a new snapshot, as Rust would. */
  show(change: Partial<Omit<KioskSnapshot, "revision">>) {
    this.snapshot = { ...this.snapshot, ...change, revision: this.snapshot.revision + 1 };
    this.send(this.snapshot);
  }

  /** Hands over a snapshot as it is, even a late one. */
  send(snapshot: KioskSnapshot) {
    for (const listener of this.#listeners) listener(snapshot);
  }

  /** Lets the next call of a command fail. */
  refuse(command: KioskCommandName, error: AppError) {
    this.#refusals.set(command, error);
  }

  readonly #script: Script = {
    kiosk_snapshot: () => this.snapshot,
    show_code: () => this.show({ stage: codeStage(0) }),
    retry_kiosk_storage: () => this.show({ stage: wallStage(wallNotes(2)), problem: null }),
    load_settings: () => this.settings,
    screen_drawn: () => undefined,
  };
}
