import type { AppError } from "../wire/AppError";
import type { ConnectRequest } from "../wire/ConnectRequest";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { Settings } from "../wire/Settings";
import type { SignInIntent } from "../wire/SignInIntent";
import type { SignOutScope } from "../wire/SignOutScope";

/** What Rust gives the page before it loads. */
export interface Start {
  readonly snapshot: SessionSnapshot;
  readonly settings: Settings;
}

/** Every command of the desktop window: what it takes and what it answers. */
export interface Commands {
  /** The whole truth about the session now. */
  session_snapshot: { takes: Nothing; answers: SessionSnapshot };
  /** Opens the system browser at the provider's sign-in. */
  begin_sign_in: { takes: { intent: SignInIntent }; answers: void };
  /** Opens the browser again for the sign-in that waits. */
  open_browser_again: { takes: Nothing; answers: void };
  /** The address of the sign-in that waits, to be opened by hand. */
  sign_in_link: { takes: Nothing; answers: string };
  /** Gives the waiting sign-in up. */
  cancel_sign_in: { takes: Nothing; answers: void };
  /** Signs out here, or here and at the provider. */
  sign_out: { takes: { scope: SignOutScope }; answers: void };
  /** Asks the keyring again. */
  retry_storage: { takes: Nothing; answers: void };
  /** Goes on without the keyring. */
  use_memory_only: { takes: Nothing; answers: void };
  /** What was chosen about the window so far. */
  load_settings: { takes: Nothing; answers: Settings };
  /** Chooses anew. */
  save_settings: { takes: { settings: Settings }; answers: void };
  /** Names the identity provider, on first start. */
  connect: { takes: { request: ConnectRequest }; answers: void };
  /** Says that a screen has been drawn. */
  screen_drawn: { takes: { screen: string }; answers: void };
}

type Nothing = Record<string, never>;

/** The name of a command. */
export type CommandName = keyof Commands;

/** What a command takes, as the rest of an argument list: none when it takes nothing. */
export type Takes<C extends CommandName> = Commands[C]["takes"] extends Nothing
  ? []
  : [takes: Commands[C]["takes"]];

/** The only door to Rust. */
export interface Host {
  /** Calls a command; rejects with {@link Refused}. */
  call<C extends CommandName>(command: C, ...takes: Takes<C>): Promise<Commands[C]["answers"]>;
  /** Hands over the session now and after each change, from here to the end of the window. */
  watchSession(listener: (snapshot: SessionSnapshot) => void): Promise<void>;
}

/** A command said no; `error` says why. */
export class Refused extends Error {
  constructor(readonly error: AppError) {
    super(error.message);
    this.name = "Refused";
  }
}

/** The error to show for whatever was thrown; what is not an error of ours is a defect of ours. */
export function errorOf(thrown: unknown): AppError {
  if (thrown instanceof Refused) return thrown.error;
  if (isAppError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", message, reason: null, correlation_id: null };
}

function isAppError(value: unknown): value is AppError {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}
