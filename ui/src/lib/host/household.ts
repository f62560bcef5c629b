import type { DeviceView } from "../wire/DeviceView";
import type { EndedDisplay } from "../wire/EndedDisplay";
import type { FamilyStanding } from "../wire/FamilyStanding";
import type { InviteView } from "../wire/InviteView";
import type { MembershipView } from "../wire/MembershipView";
import type { MemberView } from "../wire/MemberView";
import type { NoteView } from "../wire/NoteView";
import type { Permission } from "../wire/Permission";
import type { Role } from "../wire/Role";

/** What the fake host's family server knows, for tests and for the preview in a plain browser. */
export interface Household {
  members: MemberView[];
  notes: NoteView[];
  devices: DeviceView[];
  /** Those that the server has ended. */
  ended: EndedDisplay[];
  invites: InviteView[];
}

const MAY: Record<Role, readonly Permission[]> = {
  owner: [
    "family.rename",
    "family.delete",
    "members.manage",
    "children.manage",
    "invites.manage",
    "devices.link",
    "devices.manage",
  ],
  admin: [
    "family.rename",
    "members.manage",
    "children.manage",
    "invites.manage",
    "devices.link",
    "devices.manage",
  ],
  adult: ["children.manage", "devices.link"],
  teen: [],
  child: [],
  caregiver: [],
  display: [],
};

/** A place in the Lindqvist family, or in one of another name. */
export function membership(role: Role, name = "The Lindqvists"): MembershipView {
  const everybody: Permission[] = ["family.read", "members.read", "notes.read", "notes.post"];
  const permissions: Permission[] = role === "child" ? everybody : [...everybody, "devices.read"];
  return {
    family: { id: "f-1", name, created_at_ms: Date.UTC(2026, 9, 1) },
    member_id: "m-ana",
    role,
    state: "active",
    permissions: [...permissions, ...MAY[role]],
  };
}

/** The standing of somebody with this role. */
export function memberAs(role: Role, name?: string): FamilyStanding {
  return { kind: "member", membership: membership(role, name) };
}

/** The standing of somebody whose place has been paused. */
export function pausedAs(role: Role): FamilyStanding {
  const place = membership(role);
  return { kind: "member", membership: { ...place, state: "deactivated", permissions: [] } };
}

const may = (day: number, hour: number, minute = 0) => Date.UTC(2026, 10, day, hour, minute);

/** Somebody in the family; what is not said is as for most. */
export function person(
  id: string,
  name: string,
  role: Role,
  change: Partial<MemberView> = {},
): MemberView {
  return {
    id,
    name,
    role,
    state: "active",
    managed: false,
    email: null,
    joined_at_ms: may(1, 9),
    last_seen_at_ms: may(3, 16, 40),
    is_me: false,
    ...change,
  };
}

/** Ana, as the family knows her. */
export function me(role: Role): MemberView {
  return person("m-ana", "Ana Lindqvist", role, { is_me: true, email: "ana@lindqvist.example" });
}

function note(id: string, author: string, name: string, text: string, removable = true): NoteView {
  const posted_at_ms = may(3, 14, 5);
  return {
    id,
    text,
    author,
    author_name: name,
    posted_at_ms,
    expires_at_ms: null,
    removable,
  };
}

/** A display of the family; what is not said is as for most. */
export function display(id: string, name: string, change: Partial<DeviceView> = {}): DeviceView {
  return {
    id,
    name,
    room: null,
    model: "Raspberry Pi 5",
    app_version: "0.1.0",
    state: "active",
    online: true,
    linked_by_name: "Ben Okafor",
    linked_at_ms: may(2, 9),
    undo_until_ms: null,
    expires_at_ms: may(2, 9) + 90 * 86_400_000,
    last_seen_at_ms: may(3, 16, 55),
    ...change,
  };
}

/** One that was linked a moment ago. */
export function freshDisplay(id: string, name: string, room: string | null): DeviceView {
  const now = Date.now();
  return display(id, name, {
    room,
    linked_at_ms: now,
    undo_until_ms: now + 86_400_000,
    expires_at_ms: now + 90 * 86_400_000,
    last_seen_at_ms: now,
  });
}

/** A family in the middle of its life, with Ana in this role. */
export function lindqvists(role: Role = "owner"): Household {
  return {
    members: [
      me(role),
      person("m-ben", "Ben Okafor", role === "owner" ? "adult" : "owner", {
        email: "ben@okafor.example",
      }),
      person("m-mia", "Mia", "child", { managed: true, last_seen_at_ms: null }),
      person("m-noa", "Noa Lindqvist-Okafor", "teen"),
      person("m-eva", "Eva Lindqvist", "caregiver", { state: "deactivated" }),
    ],
    notes: [
      note("n-2", "m-ben", "Ben Okafor", "Football is at six. Who drives?"),
      note("n-1", "m-noa", "Noa Lindqvist-Okafor", "The soup is in the fridge.", role !== "child"),
    ],
    devices: [
      display("d-1", "Kitchen", { room: "Beside the window" }),
      display("d-2", "Hall", { online: false, last_seen_at_ms: may(2, 20) }),
    ],
    ended: [],
    invites: [
      {
        id: "i-1",
        role: "caregiver",
        invited_by: "Ana Lindqvist",
        created_at_ms: may(3, 9),
        expires_at_ms: may(6, 9),
      },
    ],
  };
}

/** A family that has just been begun. */
export function newcomers(): Household {
  return { members: [me("owner")], notes: [], devices: [], ended: [], invites: [] };
}

const LONG = "Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung Maria Fernanda";

/** A family in which everything that came from outside is this text. */
export function hostileHousehold(text: string): Household {
  const long = longNames();
  return {
    members: long.members.map((one) => ({ ...one, name: text, email: text })),
    notes: long.notes.map((one) => ({ ...one, text, author_name: text })),
    devices: long.devices.map((one) => ({
      ...one,
      name: text,
      room: text,
      model: text,
      app_version: text,
      linked_by_name: text,
    })),
    ended: long.ended.map((one) => ({ ...one, name: text, room: text })),
    invites: long.invites.map((one) => ({ ...one, invited_by: text })),
  };
}

/** Everything as long as it may be, and displays. */
export function longNames(): Household {
  const ana = me("owner");
  return {
    members: [
      { ...ana, name: LONG },
      person("m-x", "x".repeat(60), "admin", { email: `${"y".repeat(48)}@example.example` }),
      person("m-z", LONG, "child", { managed: true, last_seen_at_ms: null }),
    ],
    notes: [
      note("n-9", "m-x", "x".repeat(60), "word ".repeat(56).trim()),
      { ...note("n-8", "m-z", LONG, "w".repeat(280)), expires_at_ms: may(9, 9) },
    ],
    devices: [
      { ...freshDisplay("d-1", "Kitchen", "Kitchen, beside the window"), linked_by_name: LONG },
      display("d-2", LONG.slice(0, 60), {
        room: "r".repeat(60),
        model: LONG.slice(0, 60),
        state: "expired",
        online: false,
        last_seen_at_ms: may(3, 12),
      }),
      display("d-3", "x".repeat(60), { state: "pending", online: false, last_seen_at_ms: null }),
    ],
    ended: [{ id: "d-4", name: LONG.slice(0, 60), room: null, ended_at_ms: may(3, 16) }],
    invites: [
      {
        id: "i-9",
        role: "admin",
        invited_by: LONG,
        created_at_ms: may(3, 9),
        expires_at_ms: may(6, 9),
      },
    ],
  };
}
