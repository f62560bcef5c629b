import type { AppError } from "../wire/AppError";
import type { BrowserPurpose } from "../wire/BrowserPurpose";
import type { ConfirmLink } from "../wire/ConfirmLink";
import type { CreatedInvite } from "../wire/CreatedInvite";
import type { CreateInvite } from "../wire/CreateInvite";
import type { DeviceView } from "../wire/DeviceView";
import type { FamilyNews } from "../wire/FamilyNews";
import type { FamilyStanding } from "../wire/FamilyStanding";
import type { InvitePreview } from "../wire/InvitePreview";
import type { InviteView } from "../wire/InviteView";
import type { LinkChallenge } from "../wire/LinkChallenge";
import type { Me } from "../wire/Me";
import type { MemberView } from "../wire/MemberView";
import type { NoteView } from "../wire/NoteView";
import type { PostNote } from "../wire/PostNote";
import type { Role } from "../wire/Role";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { Settings } from "../wire/Settings";
import type { SignInIntent } from "../wire/SignInIntent";
import type { Stage } from "../wire/Stage";
import { Refused, type CommandName, type Commands, type Host, type Takes } from "./host";
import { freshDisplay, lindqvists, memberAs, newcomers, person, type Household } from "./household";
import { ana, demoProvider, keyring, problem } from "./scenes";

/** What Rust would do for each command, as far as the window can tell. */
type Script = {
  [C in CommandName]: (
    takes: Commands[C]["takes"],
  ) => Commands[C]["answers"] | Promise<Commands[C]["answers"]>;
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
  /** How whoever signs in stands to a family. */
  family: FamilyStanding = memberAs("owner");
  /** What the family server knows. */
  household: Household;
  /** Whether acts of administration wait for a fresh proof of who asks, as they would. */
  wantsProof = false;
  #proof: { given: () => void; refused: (why: Refused) => void } | null = null;
  #made = 0;
  /** What a display says of itself, whose code somebody types; every code is one. */
  challenge: LinkChallenge = challenge();
  #listeners: ((snapshot: SessionSnapshot) => void)[] = [];
  #familyListeners: ((news: FamilyNews) => void)[] = [];
  #refusals = new Map<CommandName, AppError>();
  #holds = new Map<CommandName, Promise<void>>();

  constructor(snapshot: SessionSnapshot, settings: Settings, household = lindqvists()) {
    this.snapshot = snapshot;
    this.settings = settings;
    this.household = household;
    if (snapshot.stage.kind === "signed_in") this.family = snapshot.stage.family;
  }

  async call<C extends CommandName>(command: C, ...takes: Takes<C>) {
    this.calls.push({ command, takes: takes[0] });
    await this.#holds.get(command);
    const refusal = this.#refusals.get(command);
    if (refusal) {
      this.#refusals.delete(command);
      throw new Refused(refusal);
    }
    return await this.#script[command](takes[0] ?? {});
  }

  watchSession(listener: (snapshot: SessionSnapshot) => void): Promise<void> {
    this.#listeners.push(listener);
    listener(this.snapshot);
    return Promise.resolve();
  }

  watchFamily(listener: (news: FamilyNews) => void): Promise<void> {
    this.#familyListeners.push(listener);
    return Promise.resolve();
  }

  /** Something happens in the family. */
  tell(news: FamilyNews) {
    for (const listener of this.#familyListeners) listener(news);
  }

  /** Somebody else links a display. */
  joins(device: DeviceView) {
    this.household.devices = [...this.household.devices, device];
    this.tell({ kind: "display_joined", device });
  }

  /** The server ends a display, because its sign-in was used in two places. */
  ends({ id, name, room }: DeviceView) {
    this.#signsOut(id);
    const display = { id, name, room, ended_at_ms: Date.now() };
    this.household.ended = [display, ...this.household.ended];
    this.tell({ kind: "display_ended", display });
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

  /** The person proved in the browser who they are; the act that waited goes on. */
  confirm() {
    this.show({ stage: this.#signedIn() });
    this.#proof?.given();
  }

  /** The person's place in a family is another one, at the server and in the session. */
  place(family: FamilyStanding) {
    this.family = family;
    this.show({ stage: this.#signedIn() });
  }

  #signedIn(): Stage {
    return {
      kind: "signed_in",
      account: ana,
      connection: { kind: "online" },
      family: this.family,
    };
  }

  #wait(purpose: BrowserPurpose): Stage {
    return {
      kind: "waiting_for_browser",
      purpose,
      channel: "deep_link",
      browser: "opened",
      expires_at_ms: Date.now() + 10 * 60_000,
    };
  }

  /** Runs an act of administration, after a fresh proof if one is wanted. */
  async #proven(act: () => void) {
    if (this.wantsProof) {
      this.show({ stage: this.#wait("step_up") });
      await new Promise<void>((given, refused) => (this.#proof = { given, refused }));
      this.wantsProof = false;
    }
    act();
  }

  #joins(role: Role, name: string, household: Household): Me {
    this.household = household;
    this.place(memberAs(role, name));
    return this.#me();
  }

  #leaves() {
    this.place({ kind: "outside" });
  }

  #me(): Me {
    const membership = this.family.kind === "member" ? this.family.membership : null;
    return { account: { id: ana.id, name: ana.name, email: ana.email }, membership };
  }

  #changes(id: string, change: Partial<MemberView>) {
    const { members } = this.household;
    this.household.members = members.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  #links({ number, name, room }: ConfirmLink): DeviceView {
    // The number on the fake display; another one burns the code.
    if (number !== "47") throw new Refused(problem("device.confirm_mismatch"));
    const { former } = this.challenge;
    const device = {
      ...freshDisplay(former?.id ?? this.#newId("d"), name, room ?? null),
      linked_by_name: ana.name,
    };
    this.household.devices = [...this.household.devices, device];
    this.household.ended = this.household.ended.filter(({ id }) => id !== device.id);
    return device;
  }

  #changesDisplay(id: string, change: Partial<DeviceView>) {
    const { devices } = this.household;
    this.household.devices = devices.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  #signsOut(id: string) {
    this.household.devices = this.household.devices.filter((one) => one.id !== id);
  }

  #newId(kind: string): string {
    this.#made += 1;
    return `${kind}-new-${this.#made}`;
  }

  #invites({ role, hours = 72 }: CreateInvite): CreatedInvite {
    const now = Date.now();
    const invite: InviteView = {
      id: this.#newId("i"),
      role,
      invited_by: ana.name,
      created_at_ms: now,
      expires_at_ms: now + hours * 3_600_000,
    };
    this.household.invites = [invite, ...this.household.invites];
    return { invite, code: "K7M3Q XW92H", link: "https://family.example/join#K7M3QXW92H" };
  }

  #posts({ text, hours }: PostNote) {
    const note: NoteView = {
      id: this.#newId("n"),
      text,
      author: "m-ana",
      author_name: ana.name,
      posted_at_ms: Date.now(),
      expires_at_ms: hours === undefined ? null : Date.now() + hours * 3_600_000,
      removable: true,
    };
    this.household.notes = [note, ...this.household.notes];
  }

  readonly #script: Script = {
    session_snapshot: () => this.snapshot,
    begin_sign_in: ({ intent }) =>
      this.show({ stage: this.#wait(purposeOf(intent)), problem: null }),
    open_browser_again: () => {
      const { stage } = this.snapshot;
      const purpose = stage.kind === "waiting_for_browser" ? stage.purpose : "sign_in";
      this.show({ stage: this.#wait(purpose), problem: null });
    },
    sign_in_link: () =>
      "https://login.luminous.example/family/authorize?client_id=luminous&state=s",
    cancel_sign_in: () => {
      const { stage } = this.snapshot;
      const staysIn = stage.kind === "waiting_for_browser" && stage.purpose === "edit_profile";
      this.show({ stage: staysIn ? this.#signedIn() : OUT });
    },
    cancel_step_up: () => {
      this.show({ stage: this.#signedIn() });
      this.#proof?.refused(new Refused(problem("session.step_up_required")));
    },
    sign_out: () => this.show({ stage: LEFT }),
    sign_out_everywhere: () => this.show({ stage: LEFT }),
    retry_storage: () => this.show({ stage: this.#signedIn(), storage: keyring, problem: null }),
    use_memory_only: () => this.show({ stage: OUT, storage: { kind: "memory" }, problem: null }),
    load_settings: () => this.settings,
    save_settings: ({ settings }) => {
      this.settings = settings;
    },
    connect: ({ request }) =>
      this.show({
        stage: OUT,
        provider: {
          ...demoProvider,
          host: `login.${new URL(request.address).host}`,
          demo: false,
          changeable: true,
        },
        problem: null,
      }),
    disconnect: () =>
      this.show({ stage: { kind: "unconfigured", address: null }, provider: null, problem: null }),
    export_my_data: () => "/home/ana/Downloads/luminous-ana-2026-11-03.json",
    load_family: () => this.#me(),
    create_family: ({ request }) => this.#joins("owner", request.name, newcomers()),
    rename_family: ({ request }) => {
      if (this.family.kind === "member") {
        this.place(memberAs(this.family.membership.role, request.name));
      }
    },
    leave_family: () => this.#leaves(),
    delete_family: () => this.#proven(() => this.#leaves()),
    list_members: () => ({ members: this.household.members }),
    add_child: ({ request }) => {
      const child = person(this.#newId("m"), request.name, "child", {
        managed: true,
        last_seen_at_ms: null,
      });
      this.household.members = [...this.household.members, child];
    },
    change_member: ({ id, request }) => this.#proven(() => this.#changes(id, request)),
    rename_child: ({ id, name }) => this.#changes(id, { name }),
    remove_member: async ({ id, child }) => {
      const remove = () => {
        this.household.members = this.household.members.filter((one) => one.id !== id);
      };
      if (child) remove();
      else await this.#proven(remove);
    },
    preview_invite: () => OFFER,
    accept_invite: () => this.#joins(OFFER.role, OFFER.family_name, lindqvists(OFFER.role)),
    list_invites: () => ({ invites: this.household.invites }),
    create_invite: ({ request }) => this.#invites(request),
    withdraw_invite: ({ id }) => {
      this.household.invites = this.household.invites.filter((one) => one.id !== id);
    },
    list_notes: () => ({ notes: this.household.notes }),
    post_note: ({ request }) => this.#posts(request),
    remove_note: ({ id }) => {
      this.household.notes = this.household.notes.filter((one) => one.id !== id);
    },
    list_devices: () => ({ devices: this.household.devices, ended: this.household.ended }),
    look_up_link: () => this.challenge,
    confirm_link: ({ request }) => this.#links(request),
    decline_link: () => undefined,
    change_device: ({ deviceId, request }) =>
      this.#proven(() => this.#changesDisplay(deviceId, request)),
    revoke_device: ({ deviceId }) => this.#proven(() => this.#signsOut(deviceId)),
    undo_link: ({ deviceId }) => this.#signsOut(deviceId),
    renew_device: ({ deviceId }) =>
      this.#proven(() =>
        this.#changesDisplay(deviceId, {
          state: "active",
          expires_at_ms: Date.now() + 90 * 86_400_000,
        }),
      ),
    screen_drawn: () => undefined,
  };
}

const OUT: Stage = { kind: "signed_out", cause: "never", last_account: null };
const LEFT: Stage = { kind: "signed_out", cause: "signed_out", last_account: ana };

/** A display in the same home, that has shown its code for three minutes. */
export function challenge(change: Partial<LinkChallenge> = {}): LinkChallenge {
  return {
    challenge: "c-1",
    device_name: "Luminous on kitchen-pi",
    device_model: "Raspberry Pi 5",
    app_version: "0.1.0",
    minutes_shown: 3,
    same_network: true,
    expires_at_ms: Date.now() + 3 * 60_000,
    former: null,
    ...change,
  };
}

const OFFER: InvitePreview = {
  family_name: "The Lindqvists",
  invited_by: "Ben Okafor",
  role: "adult",
  expires_at_ms: Date.UTC(2026, 10, 6, 9),
};

function purposeOf(intent: SignInIntent): BrowserPurpose {
  if (intent === "reset_password" || intent === "edit_profile") return intent;
  return "sign_in";
}
