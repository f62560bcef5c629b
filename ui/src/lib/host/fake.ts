import type { AppError } from "../wire/AppError";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { Settings } from "../wire/Settings";
import type { Stage } from "../wire/Stage";
import { Refused, type CommandName, type Commands, type Host, type Takes } from "./host";
import { ana, demoProvider, keyring } from "./scenes";

/** What Rust would do for each command, as far as the window can tell. */
type Script = {
  [C in CommandName]: (takes: Commands[C]["takes"]) => Commands[C]["answers"];
};

/** A command that was called, for tests to look at. */
export interface Call {
  readonly command: CommandName;
  readonly takes: unknown;
}

/**
 * A host without Rust: drives the component tests and the preview in a plain browser, and can play
 * the whole journey from the first start to the sign-out. Never part of the product's bundle.
 */
export class FakeHost implements Host {
  /** Every call so far, in order. */
  readonly calls: Call[] = [];
  snapshot: SessionSnapshot;
  settings: Settings;
  #listeners: ((snapshot: SessionSnapshot) => void)[] = [];
  #refusals = new Map<CommandName, AppError>();
  #holds = new Map<CommandName, Promise<void>>();

  constructor(snapshot: SessionSnapshot, settings: Settings) {
    this.snapshot = snapshot;
    this.settings = settings;
  }

  async call<C extends CommandName>(command: C, ...takes: Takes<C>) {
    this.calls.push({ command, takes: takes[0] });
    await this.#holds.get(command);
    const refusal = this.#refusals.get(command);
    if (refusal) {
      this.#refusals.delete(command);
      throw new Refused(refusal);
    }
    return this.#script[command](takes[0] ?? {});
  }

  watchSession(listener: (snapshot: SessionSnapshot) => void): Promise<void> {
    this.#listeners.push(listener);
    listener(this.snapshot);
    return Promise.resolve();
  }

  /** Moves on to a new snapshot, as Rust would. */
  show(change: Partial<Omit<SessionSnapshot, "revision">>) {
    this.snapshot = { ...this.snapshot, ...change, revision: this.snapshot.revision + 1 };
    this.send(this.snapshot);
  }

  /** Hands over a snapshot as it is, even a late one. */
  send(snapshot: SessionSnapshot) {
    for (const listener of this.#listeners) listener(snapshot);
  }

  /** Lets the next call of a command fail. */
  refuse(command: CommandName, error: AppError) {
    this.#refusals.set(command, error);
  }

  /** Lets a command hang until the answered function is called. */
  hold(command: CommandName): () => void {
    let release = () => {};
    this.#holds.set(command, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#holds.delete(command);
      release();
    };
  }

  /** The person signed in in the browser and the redirect came back. */
  comeBack() {
    this.show({ stage: { kind: "finishing" } });
  }

  /** The tokens have been verified. */
  finish() {
    this.show({ stage: this.#signedIn() });
  }

  #signedIn(): Stage {
    return { kind: "signed_in", account: ana, connection: { kind: "online" } };
  }

  #wait(browser: "opened" | "failed" = "opened"): Stage {
    return {
      kind: "waiting_for_browser",
      channel: "deep_link",
      browser,
      expires_at_ms: Date.now() + 10 * 60_000,
    };
  }

  readonly #script: Script = {
    session_snapshot: () => this.snapshot,
    begin_sign_in: () => this.show({ stage: this.#wait(), problem: null }),
    open_browser_again: () => this.show({ stage: this.#wait(), problem: null }),
    sign_in_link: () =>
      "https://login.luminous.example/family/authorize?client_id=luminous&state=s",
    cancel_sign_in: () =>
      this.show({ stage: { kind: "signed_out", cause: "never", last_account: null } }),
    sign_out: () =>
      this.show({ stage: { kind: "signed_out", cause: "signed_out", last_account: ana } }),
    retry_storage: () => this.show({ stage: this.#signedIn(), storage: keyring, problem: null }),
    use_memory_only: () =>
      this.show({
        stage: { kind: "signed_out", cause: "never", last_account: null },
        storage: { kind: "memory" },
        problem: null,
      }),
    load_settings: () => this.settings,
    save_settings: ({ settings }) => {
      this.settings = settings;
    },
    connect: ({ request }) =>
      this.show({
        stage: { kind: "signed_out", cause: "never", last_account: null },
        provider: { ...demoProvider, host: new URL(request.address).host, demo: false },
        problem: null,
      }),
    screen_drawn: () => undefined,
  };
}
