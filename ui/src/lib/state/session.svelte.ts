import { createContext } from "svelte";

import { errorOf, type CommandName, type Host } from "../host/host";
import type { AppError } from "../wire/AppError";
import type { ConnectRequest } from "../wire/ConnectRequest";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { SignInIntent } from "../wire/SignInIntent";
import type { SignOutScope } from "../wire/SignOutScope";
import type { Stage } from "../wire/Stage";
import type { Clock } from "./clock.svelte";

/** Something that went wrong, and when the window learned of it (Unix time in ms). */
export interface Trouble {
  readonly error: AppError;
  readonly at: number;
}

/** Older than everything Rust sends. */
const BEFORE_ALL: SessionSnapshot = {
  revision: -1,
  stage: { kind: "starting" },
  storage: { kind: "keyring" },
  provider: null,
  problem: null,
};

/** The session: Rust owns the truth, this holds the newest copy of it and passes wishes on. */
export class SessionState {
  readonly #host: Host;
  readonly #clock: Clock;
  #snapshot = $state.raw<SessionSnapshot>(BEFORE_ALL);
  #acceptedAt = 0;
  #reported = $state.raw<Trouble | null>(null);
  #refused = $state.raw<Trouble | null>(null);
  #busy = $state<CommandName | null>(null);
  #justArrived = $state(false);
  #justLeft = $state(false);

  constructor(host: Host, clock: Clock, start?: SessionSnapshot) {
    this.#host = host;
    this.#clock = clock;
    if (start) this.accept(start);
  }

  /** Where the session stands. */
  get stage() {
    return this.#snapshot.stage;
  }

  /** Where the sign-in is kept. */
  get storage() {
    return this.#snapshot.storage;
  }

  /** Whom we sign in with. */
  get provider() {
    return this.#snapshot.provider;
  }

  /** What is still worth saying: the refusal of the last wish, else what Rust reports. */
  get trouble(): Trouble | null {
    return this.#refused ?? this.#reported;
  }

  /** Why the keyring cannot keep the sign-in, when it cannot. */
  get keyringTrouble(): Trouble | null {
    const { storage } = this.#snapshot;
    return storage.kind === "unusable" ? { error: storage.problem, at: this.#acceptedAt } : null;
  }

  /** The wish that Rust has not answered yet. */
  get busy() {
    return this.#busy;
  }

  /** Whether somebody signed in while this window looked on, and nothing has happened since. */
  get justArrived() {
    return this.#justArrived;
  }

  /** Whether somebody signed out while this window looked on. */
  get justLeft() {
    return this.#justLeft;
  }

  /** Begins to follow the session. */
  async follow() {
    try {
      await this.#host.watchSession((snapshot) => this.accept(snapshot));
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  /** Replaces the copy as a whole, unless a newer one is here already. */
  accept(next: SessionSnapshot) {
    if (next.revision < this.#snapshot.revision) return;
    const before = this.#snapshot;
    this.#snapshot = next;
    this.#acceptedAt = this.#clock.read();
    if (!sameProblem(next.problem, before.problem)) {
      this.#reported = next.problem && { error: next.problem, at: this.#clock.read() };
    }
    if (next.stage.kind === before.stage.kind) return;
    this.#justArrived = next.stage.kind === "signed_in" && cameThroughBrowser(before.stage);
    this.#justLeft = next.stage.kind === "signed_out" && before.stage.kind === "signed_in";
    if (isProgress(next.stage)) this.#refused = null;
  }

  begin = (intent: SignInIntent) =>
    this.#run("begin_sign_in", (h) => h.call("begin_sign_in", { intent }));

  openAgain = () => this.#run("open_browser_again", (h) => h.call("open_browser_again"));

  cancel = () => this.#run("cancel_sign_in", (h) => h.call("cancel_sign_in"));

  signOut = (scope: SignOutScope) => this.#run("sign_out", (h) => h.call("sign_out", { scope }));

  retryStorage = () => this.#run("retry_storage", (h) => h.call("retry_storage"));

  useMemoryOnly = () => this.#run("use_memory_only", (h) => h.call("use_memory_only"));

  connect = (request: ConnectRequest) =>
    this.#run("connect", (h) => h.call("connect", { request }));

  /** The address of the waiting sign-in; null when there is none, and then `trouble` says why. */
  link = async (): Promise<string | null> => {
    try {
      return await this.#host.call("sign_in_link");
    } catch (thrown) {
      this.#refuse(thrown);
      return null;
    }
  };

  /** Puts what went wrong away: the person has read it. */
  dismiss = () => {
    this.#refused = null;
    this.#reported = null;
  };

  /** The welcome has been seen. */
  settleIn = () => {
    this.#justArrived = false;
  };

  async #run(name: CommandName, wish: (host: Host) => Promise<void>) {
    if (this.#busy === name) return;
    this.#busy = name;
    this.#refused = null;
    try {
      await wish(this.#host);
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      // A cancel may have taken the place of what it cancels.
      if (this.#busy === name) this.#busy = null;
    }
  }

  #refuse(thrown: unknown) {
    this.#refused = { error: errorOf(thrown), at: this.#clock.read() };
  }
}

export const [getSession, setSession] = createContext<SessionState>();

/** A problem is the same one when every word of it is; snapshots carry it again and again. */
function sameProblem(one: AppError | null, other: AppError | null) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function cameThroughBrowser(stage: Stage) {
  return stage.kind === "finishing" || stage.kind === "waiting_for_browser";
}

/** What makes an old refusal pointless to show. */
function isProgress(stage: Stage) {
  return stage.kind === "signed_in" || cameThroughBrowser(stage);
}
