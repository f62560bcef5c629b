import type { AccountView } from "../wire/AccountView";
import type { AppError } from "../wire/AppError";
import type { BrowserPurpose } from "../wire/BrowserPurpose";
import type { Connection } from "../wire/Connection";
import type { ErrorCode } from "../wire/ErrorCode";
import type { FamilyStanding } from "../wire/FamilyStanding";
import type { ProviderView } from "../wire/ProviderView";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { StorageView } from "../wire/StorageView";
import { lindqvists, longNames, memberAs, newcomers, pausedAs, type Household } from "./household";

/** Moments the window can be asked to show, for tests and for the preview in a plain browser. */

export const ana: AccountView = {
  id: "3f1c9a52",
  name: "Ana Lindqvist",
  email: "ana@lindqvist.example",
  identity_provider: null,
  signed_in_at_ms: Date.UTC(2026, 10, 3, 17, 2),
};

export const demoProvider: ProviderView = {
  host: "login.luminous.example",
  demo: true,
  changeable: false,
  hints: [
    { domain_hint: "google.com", name: "Google" },
    { domain_hint: "apple.com", name: "Apple" },
    { domain_hint: "live.com", name: "Microsoft" },
  ],
  password_reset: true,
  profile_edit: true,
};

/** A provider that does nothing but sign people in. */
const plainProvider: ProviderView = {
  host: "login.luminous.example",
  demo: false,
  changeable: true,
  hints: [],
  password_reset: false,
  profile_edit: false,
};
export const keyring: StorageView = { kind: "keyring" };

/** An error with every detail filled in. */
export function problem(code: ErrorCode): AppError {
  return {
    code,
    message: `What the log says about ${code}.`,
    reason: "AADB2C90080",
    correlation_id: "b5c6e7f8-0a1b-4c2d-9e3f-405162738495",
  };
}

function moment(change: Partial<SessionSnapshot>): SessionSnapshot {
  return {
    revision: 1,
    stage: { kind: "starting" },
    storage: keyring,
    provider: demoProvider,
    problem: null,
    ...change,
  };
}

function signedOut(
  cause: "never" | "signed_out" | "ended" | "lost" | "corrupt",
  lastAccount: AccountView | null = null,
): SessionSnapshot {
  return moment({ stage: { kind: "signed_out", cause, last_account: lastAccount } });
}

function blocked(code: ErrorCode, account: AccountView | null = ana): SessionSnapshot {
  return moment({
    stage: { kind: "storage_blocked", account },
    storage: { kind: "unusable", problem: problem(code) },
    problem: problem(code),
  });
}

function signedIn(
  family: FamilyStanding,
  change: { account?: AccountView; connection?: Connection } = {},
): SessionSnapshot {
  const { account = ana, connection = { kind: "online" } } = change;
  return moment({ stage: { kind: "signed_in", account, connection, family } });
}

function waiting(purpose: BrowserPurpose): SessionSnapshot {
  return moment({
    stage: {
      kind: "waiting_for_browser",
      purpose,
      channel: "deep_link",
      browser: "opened",
      expires_at_ms: inNineMinutes(),
    },
  });
}

const offlineSince = Date.UTC(2026, 10, 3, 14, 5);
const inNineMinutes = () => Date.now() + 9.5 * 60_000;

/** By name, so that a test or a person can ask for one: `?scene=waiting`. */
export const scenes = {
  starting: () => moment({}),
  starting_unreachable: () => moment({ provider: null, problem: problem("server.unreachable") }),
  unconfigured: () => moment({ stage: { kind: "unconfigured", address: null }, provider: null }),
  unconfigured_problem: () =>
    moment({
      stage: { kind: "unconfigured", address: "https://luminous.example.com/" },
      provider: null,
      problem: problem("server.unreachable"),
    }),
  signed_out_never: () => signedOut("never"),
  signed_out_back: () => signedOut("signed_out", ana),
  signed_out_ended: () => signedOut("ended", ana),
  signed_out_lost: () => signedOut("lost", ana),
  signed_out_corrupt: () => signedOut("corrupt", ana),
  signed_out_cancelled: () => ({
    ...signedOut("never"),
    problem: problem("redirect.cancelled"),
  }),
  signed_out_problem: () => ({
    ...signedOut("signed_out", ana),
    problem: problem("net.unreachable"),
  }),
  signed_out_no_keyring: () => ({
    ...signedOut("never"),
    storage: { kind: "unusable", problem: problem("store.unavailable") } as const,
  }),
  signed_out_plain: () => ({ ...signedOut("signed_out", ana), provider: plainProvider }),
  waiting: () => waiting("sign_in"),
  waiting_reset: () => waiting("reset_password"),
  waiting_edit: () => waiting("edit_profile"),
  waiting_step_up: () => waiting("step_up"),
  waiting_failed: () =>
    moment({
      stage: {
        kind: "waiting_for_browser",
        purpose: "sign_in",
        channel: "loopback",
        browser: "failed",
        expires_at_ms: inNineMinutes(),
      },
      problem: problem("redirect.no_browser"),
    }),
  finishing: () => moment({ stage: { kind: "finishing" } }),
  home: () => signedIn(memberAs("owner")),
  home_checking: () => signedIn(memberAs("adult"), { connection: { kind: "checking" } }),
  home_child: () => signedIn(memberAs("child")),
  home_new: () => signedIn(memberAs("owner")),
  home_long: () =>
    signedIn(memberAs("owner", "Die Lindqvist-Grundstücksverkehrsgenehmigungszuständigkeit"), {
      account: { ...ana, name: "Maximiliane-Alexandra von und zu Grundstücksverkehrsgenehmigung" },
    }),
  home_offline: () => ({
    ...signedIn(memberAs("owner"), {
      account: { ...ana, identity_provider: "google.com" },
      connection: { kind: "offline", since_ms: offlineSince },
    }),
    provider: plainProvider,
    problem: problem("provider.busy"),
  }),
  home_memory: () => ({ ...signedIn(memberAs("owner")), storage: { kind: "memory" } as const }),
  home_unsaved: () => ({
    ...signedIn(memberAs("owner")),
    storage: { kind: "unusable", problem: problem("store.write_failed") } as const,
  }),
  home_unserved: () => ({ ...signedIn({ kind: "unserved" }), provider: plainProvider }),
  home_unknown: () =>
    signedIn({ kind: "unknown" }, { connection: { kind: "offline", since_ms: null } }),
  paused: () => signedIn(pausedAs("teen")),
  onboarding: () => signedIn({ kind: "outside" }),
  storage_locked: () => blocked("store.locked"),
  storage_unavailable: () => blocked("store.unavailable", null),
  storage_timeout: () => blocked("store.timeout"),
  storage_waiting: () => blocked("store.waiting"),
} satisfies Record<string, () => SessionSnapshot>;

/** What the family server knows in each moment; in most of them, a family in mid-life. */
const households: Record<string, () => Household> = {
  home_child: () => lindqvists("child"),
  home_checking: () => lindqvists("adult"),
  home_new: newcomers,
  home_long: longNames,
  onboarding: newcomers,
};

/** What the family server knows in a moment. */
export function householdOf(name: string): Household {
  return (households[name] ?? lindqvists)();
}

/** The name of a moment. */
export type SceneName = keyof typeof scenes;

/** Whether a text names a moment. */
export function isSceneName(text: string): text is SceneName {
  return text in scenes;
}
