import { createContext } from "svelte";

import { errorOf, type CommandName, type Host } from "../host/host";
import type { AppError } from "../wire/AppError";
import type { BrowserPurpose } from "../wire/BrowserPurpose";
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

/** The stage in which somebody is signed in. */
export type SignedIn = Extract<Stage, { kind: "signed_in" }>;

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
  #inside = $state.raw<SignedIn | null>(null);
  #purpose: BrowserPurpose = "sign_in";
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

  /** Who is signed in, also while they are away in the browser to confirm or change something. */
  get inside(): SignedIn | null {
    return this.#inside;
  }

  /** Whether whoever is signed in is away in the browser. */
  get away(): boolean {
    return this.#inside !== null && this.#snapshot.stage.kind !== "signed_in";
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
    const wasInside = this.#inside !== null;
    this.#snapshot = next;
    this.#inside = insideAt(next.stage, this.#inside);
    if (next.stage.kind === "waiting_for_browser") this.#purpose = next.stage.purpose;
    this.#acceptedAt = this.#clock.read();
    if (!sameProblem(next.problem, before.problem)) {
      this.#reported = next.problem && { error: next.problem, at: this.#clock.read() };
    }
    if (next.stage.kind === before.stage.kind) return;
    this.#justArrived =
      next.stage.kind === "signed_in" && cameThroughBrowser(before.stage) && !wasInside;
    this.#justLeft = next.stage.kind === "signed_out" && before.stage.kind === "signed_in";
    if (isProgress(next.stage)) this.#refused = null;
  }

  /** Opens the browser; `hint` names the identity provider to go to at once. */
  begin = (intent: SignInIntent, hint: string | null = null) =>
    this.#run("begin_sign_in", (h) => h.call("begin_sign_in", { intent, hint }));

  openAgain = () => this.#run("open_browser_again", (h) => h.call("open_browser_again"));

  /** Gives up what waits for the browser. */
  cancel = () =>
    this.#confirming
      ? this.#run("cancel_step_up", (h) => h.call("cancel_step_up"))
      : this.#run("cancel_sign_in", (h) => h.call("cancel_sign_in"));

  signOut = (scope: SignOutScope) => this.#run("sign_out", (h) => h.call("sign_out", { scope }));

  signOutEverywhere = () => this.#run("sign_out_everywhere", (h) => h.call("sign_out_everywhere"));

  retryStorage = () => this.#run("retry_storage", (h) => h.call("retry_storage"));

  useMemoryOnly = () => this.#run("use_memory_only", (h) => h.call("use_memory_only"));

  connect = (request: ConnectRequest) =>
    this.#run("connect", (h) => h.call("connect", { request }));

  /** Forgets the family server, so that another one can be named. */
  disconnect = () => this.#run("disconnect", (h) => h.call("disconnect"));

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

  /** Whether an act waits for a fresh proof of who asks, the last step of it included. */
  get #confirming(): boolean {
    return this.away && this.#purpose === "step_up";
  }

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

/** Who is inside at a stage, given who was before: to confirm something is not to leave. */
function insideAt(stage: Stage, before: SignedIn | null): SignedIn | null {
  if (stage.kind === "signed_in") return stage;
  const comesBack =
    stage.kind === "finishing" ||
    (stage.kind === "waiting_for_browser" &&
      (stage.purpose === "step_up" || stage.purpose === "edit_profile"));
  return comesBack ? before : null;
}

/** What makes an old refusal pointless to show. */
function isProgress(stage: Stage) {
  return stage.kind === "signed_in" || cameThroughBrowser(stage);
}
