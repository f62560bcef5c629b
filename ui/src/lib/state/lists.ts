import type { Host } from "../host/host";
import type { DeviceView } from "../wire/DeviceView";
import type { EndedDisplay } from "../wire/EndedDisplay";
import type { InviteView } from "../wire/InviteView";
import type { MemberView } from "../wire/MemberView";
import type { NoteView } from "../wire/NoteView";
import type { Permission } from "../wire/Permission";

/** What belongs to a family, as last heard; null before that. */
export interface Lists {
  readonly members: readonly MemberView[] | null;
  readonly notes: readonly NoteView[] | null;
  readonly devices: readonly DeviceView[] | null;
  /** Displays that the server has ended lately; they come with the others. */
  readonly ended: readonly EndedDisplay[] | null;
  readonly invites: readonly InviteView[] | null;
}

/** The name of a list that is asked for. */
export type ListName = Exclude<keyof Lists, "ended">;

interface Read {
  readonly needs: Permission;
  readonly ask: (host: Host) => Promise<Partial<Lists>>;
}

export const NOTHING_KNOWN: Lists = {
  members: null,
  notes: null,
  devices: null,
  ended: null,
  invites: null,
};

/** How each list is asked for, and what that needs. */
export const READS: Record<ListName, Read> = {
  members: { needs: "members.read", ask: (host) => host.call("list_members") },
  notes: { needs: "notes.read", ask: (host) => host.call("list_notes") },
  devices: { needs: "devices.read", ask: (host) => host.call("list_devices") },
  invites: { needs: "invites.manage", ask: (host) => host.call("list_invites") },
};
