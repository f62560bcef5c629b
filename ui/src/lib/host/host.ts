import type { AcceptInvite } from "../wire/AcceptInvite";
import type { AddChild } from "../wire/AddChild";
import type { AppError } from "../wire/AppError";
import type { ChangeDevice } from "../wire/ChangeDevice";
import type { ChangeMember } from "../wire/ChangeMember";
import type { ConfirmLink } from "../wire/ConfirmLink";
import type { ConnectRequest } from "../wire/ConnectRequest";
import type { CreatedInvite } from "../wire/CreatedInvite";
import type { CreateFamily } from "../wire/CreateFamily";
import type { CreateInvite } from "../wire/CreateInvite";
import type { DeclineLink } from "../wire/DeclineLink";
import type { DeleteFamily } from "../wire/DeleteFamily";
import type { DeviceId } from "../wire/DeviceId";
import type { DeviceList } from "../wire/DeviceList";
import type { DeviceView } from "../wire/DeviceView";
import type { FamilyNews } from "../wire/FamilyNews";
import type { InviteId } from "../wire/InviteId";
import type { InviteList } from "../wire/InviteList";
import type { InvitePreview } from "../wire/InvitePreview";
import type { KioskSnapshot } from "../wire/KioskSnapshot";
import type { LinkChallenge } from "../wire/LinkChallenge";
import type { LookUpLink } from "../wire/LookUpLink";
import type { Me } from "../wire/Me";
import type { MemberId } from "../wire/MemberId";
import type { MemberList } from "../wire/MemberList";
import type { NoteId } from "../wire/NoteId";
import type { NoteList } from "../wire/NoteList";
import type { PostNote } from "../wire/PostNote";
import type { PreviewInvite } from "../wire/PreviewInvite";
import type { RenameFamily } from "../wire/RenameFamily";
import type { SessionSnapshot } from "../wire/SessionSnapshot";
import type { Settings } from "../wire/Settings";
import type { SignInIntent } from "../wire/SignInIntent";
import type { SignOutScope } from "../wire/SignOutScope";

/** What Rust gives the page before it loads. */
export interface Start {
  readonly snapshot: SessionSnapshot;
  readonly settings: Settings;
}

/** The same for a wall display's page. */
export interface KioskStart {
  readonly snapshot: KioskSnapshot;
  readonly settings: Settings;
}

/** Every command of the desktop window: what it takes and what it answers. */
export interface Commands {
  /** The whole truth about the session now. */
  session_snapshot: { takes: Nothing; answers: SessionSnapshot };
  /** Opens the system browser at the provider's sign-in; `hint` names whom to sign in with there. */
  begin_sign_in: { takes: { intent: SignInIntent; hint: string | null }; answers: void };
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
  /** Names the family server, on first start. */
  connect: { takes: { request: ConnectRequest }; answers: void };
  /** Forgets the family server that was named; refused where the configuration names it. */
  disconnect: { takes: Nothing; answers: void };
  /** Gives a waiting proof of who one is up, and with it the act that waits for it. */
  cancel_step_up: { takes: Nothing; answers: void };
  /** Ends every sign-in of this person at the family server, this one included. */
  sign_out_everywhere: { takes: Nothing; answers: void };
  /** Writes what the server keeps about this person into a file; answers where it is. */
  export_my_data: { takes: Nothing; answers: string };
  /** Asks the server for this person's place in a family; the snapshot then says the same. */
  load_family: { takes: Nothing; answers: Me };
  /** Begins a family, with this person as its owner. */
  create_family: { takes: { request: CreateFamily }; answers: Me };
  /** Gives the family another name. */
  rename_family: { takes: { request: RenameFamily }; answers: void };
  /** Takes this person out of the family. */
  leave_family: { takes: Nothing; answers: void };
  /** Ends the family for good. */
  delete_family: { takes: { request: DeleteFamily }; answers: void };
  /** Everybody in the family. */
  list_members: { takes: Nothing; answers: MemberList };
  /** Adds a child without an account. */
  add_child: { takes: { request: AddChild }; answers: void };
  /** Changes somebody's role or switches them off or on. */
  change_member: { takes: { id: MemberId; request: ChangeMember }; answers: void };
  /** Gives a child without an account another name. */
  rename_child: { takes: { id: MemberId; name: string }; answers: void };
  /** Takes somebody out of the family; `child` says that it is a child without an account. */
  remove_member: { takes: { id: MemberId; child: boolean }; answers: void };
  /** What an invitation offers, without using it up. */
  preview_invite: { takes: { request: PreviewInvite }; answers: InvitePreview };
  /** Joins a family by an invitation. */
  accept_invite: { takes: { request: AcceptInvite }; answers: Me };
  /** The invitations that nobody has used yet. */
  list_invites: { takes: Nothing; answers: InviteList };
  /** Makes an invitation; its code is answered this once. */
  create_invite: { takes: { request: CreateInvite }; answers: CreatedInvite };
  /** Takes an invitation back. */
  withdraw_invite: { takes: { id: InviteId }; answers: void };
  /** The notes on the wall. */
  list_notes: { takes: Nothing; answers: NoteList };
  /** Puts a note on the wall. */
  post_note: { takes: { request: PostNote }; answers: void };
  /** Takes a note down. */
  remove_note: { takes: { id: NoteId }; answers: void };
  /** The family's displays. */
  list_devices: { takes: Nothing; answers: DeviceList };
  /** What a display says of itself, for the code that somebody read off it. */
  look_up_link: { takes: { request: LookUpLink }; answers: LinkChallenge };
  /** Yes: this display is ours. One try at its number. */
  confirm_link: { takes: { request: ConfirmLink }; answers: DeviceView };
  /** No: this display is not ours. */
  decline_link: { takes: { request: DeclineLink }; answers: void };
  /** Gives a display another name or room. */
  change_device: { takes: { deviceId: DeviceId; request: ChangeDevice }; answers: void };
  /** Signs a display out; it forgets the family. */
  revoke_device: { takes: { deviceId: DeviceId }; answers: void };
  /** Takes back that a display was linked, soon afterwards. */
  undo_link: { takes: { deviceId: DeviceId }; answers: void };
  /** Lets a display stay for another while. */
  renew_device: { takes: { deviceId: DeviceId }; answers: void };
  /** Says that a screen has been drawn. */
  screen_drawn: { takes: { screen: string }; answers: void };
}

/** Every command of a wall display's window. */
export interface KioskCommands {
  /** The whole truth about the display now. */
  kiosk_snapshot: { takes: Nothing; answers: KioskSnapshot };
  /** Somebody touched the display that waits: it is to show a code again. */
  show_code: { takes: Nothing; answers: void };
  /** Asks the keyring again. */
  retry_kiosk_storage: { takes: Nothing; answers: void };
  /** What was chosen about the window so far. */
  load_settings: { takes: Nothing; answers: Settings };
  /** Says that a screen has been drawn. */
  screen_drawn: { takes: { screen: string }; answers: void };
}

type Nothing = Record<string, never>;

/** What a command takes, as the rest of an argument list: none when it takes nothing. */
type TakesOf<One extends { takes: unknown }> = One["takes"] extends Nothing
  ? []
  : [takes: One["takes"]];

/** The name of a command. */
export type CommandName = keyof Commands;

export type Takes<C extends CommandName> = TakesOf<Commands[C]>;

/** The name of a command of a wall display. */
export type KioskCommandName = keyof KioskCommands;

export type KioskTakes<C extends KioskCommandName> = TakesOf<KioskCommands[C]>;

/** The only door to Rust. */
export interface Host {
  /** Calls a command; rejects with {@link Refused}. */
  call<C extends CommandName>(command: C, ...takes: Takes<C>): Promise<Commands[C]["answers"]>;
  /** Hands over the session now and after each change, from here to the end of the window. */
  watchSession(listener: (snapshot: SessionSnapshot) => void): Promise<void>;
  /** Hands over what happens in the family, from here to the end of the window. */
  watchFamily(listener: (news: FamilyNews) => void): Promise<void>;
}

/** The same for a wall display. */
export interface KioskHost {
  /** Calls a command; rejects with {@link Refused}. */
  call<C extends KioskCommandName>(
    command: C,
    ...takes: KioskTakes<C>
  ): Promise<KioskCommands[C]["answers"]>;
  /** Hands over the display now and after each change, from here to the end of the window. */
  watchKiosk(listener: (snapshot: KioskSnapshot) => void): Promise<void>;
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
