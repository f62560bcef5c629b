import type { AppError } from "../wire/AppError";
import type { KioskSnapshot } from "../wire/KioskSnapshot";
import type { KioskStage } from "../wire/KioskStage";
import type { QrView } from "../wire/QrView";
import type { WallMember } from "../wire/WallMember";
import type { WallNote } from "../wire/WallNote";
import type { WallView } from "../wire/WallView";
import { FIRST_QR, SECOND_QR } from "./kiosk_qr";
import { problem } from "./scenes";

/** Moments a wall can be asked to show, for tests and for the preview in a plain browser. */

const MINUTE = 60_000;

function moment(stage: KioskStage, change: Partial<KioskSnapshot> = {}): KioskSnapshot {
  return {
    revision: 1,
    stage,
    connection: { kind: "online" },
    clock_offset_ms: 0,
    problem: null,
    ...change,
  };
}

/** A code that has been on the wall for this many minutes. */
export function codeStage(
  minutes: number,
  change: { user_code?: string; qr?: QrView; former_name?: string | null } = {},
): Extract<KioskStage, { kind: "code" }> {
  const shown_at_ms = Date.now() - minutes * MINUTE;
  return {
    kind: "code",
    user_code: "K7M 3QX",
    verification_uri: "https://family.example/link",
    qr: FIRST_QR,
    shown_at_ms,
    expires_at_ms: shown_at_ms + 10 * MINUTE,
    former_name: null,
    ...change,
  };
}

/** The code after that one. */
export function renewedStage() {
  return codeStage(0, { user_code: "9TB R4W", qr: SECOND_QR });
}

export const claimedStage = (): KioskStage => ({
  kind: "claimed",
  number: "47",
  expires_at_ms: Date.now() + 3 * MINUTE,
});

export const welcomeStage: KioskStage = {
  kind: "welcome",
  family_name: "The Lindqvists",
  device_name: "Kitchen",
};

const MEMBERS: WallMember[] = [
  { id: "m-ana", name: "Ana Lindqvist" },
  { id: "m-ben", name: "Ben Okafor" },
  { id: "m-3", name: "Mia" },
  { id: "m-8", name: "Noa Lindqvist-Okafor" },
];

/** A note that was written this many minutes ago. */
export function wallNote(id: string, member: number, text: string, minutes = 40): WallNote {
  const { id: author, name } = MEMBERS[member % MEMBERS.length] ?? { id: null, name: "" };
  const posted_at_ms = Date.now() - minutes * MINUTE;
  return { id, text, author, author_name: name, posted_at_ms, expires_at_ms: null };
}

const SAYINGS = [
  "Football is at six. Who drives?",
  "The soup is in the fridge.",
  "Grandma comes on Sunday, please tidy up the hall and your rooms before that, and Noa: the bicycle cannot stay on the stairs.",
  "Back at eight. Love, Ana",
  "Library books are due tomorrow",
  "Who has seen my blue scarf?",
  "Dentist on Thursday at 15:30",
  "Please water the tomatoes",
  "Choir tonight!",
];

/** So many notes, the newest first. */
export function wallNotes(count: number): WallNote[] {
  return Array.from({ length: count }, (_, place) =>
    wallNote(`n-${count - place}`, place, SAYINGS[place % SAYINGS.length] ?? "", 2 + place * 55),
  );
}

/** A wall with these notes. */
export function wallStage(
  notes: WallNote[],
  change: Partial<WallView> = {},
): Extract<KioskStage, { kind: "wall" }> {
  const wall: WallView = {
    family_id: "f-1",
    family_name: "The Lindqvists",
    device: { name: "Kitchen", room: "Beside the window" },
    members: MEMBERS,
    notes,
    seq: 1,
    ...change,
  };
  return { kind: "wall", wall, as_of_ms: Date.now() };
}

const LONG = "Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung";
const longWall = () =>
  wallStage(
    [
      wallNote("n-3", 3, `${LONG} ${"word ".repeat(42).trim()}`),
      wallNote("n-2", 1, "w".repeat(280)),
      wallNote("n-1", 2, "line\n".repeat(56)),
    ],
    {
      family_name: `Familie ${LONG}`.slice(0, 60),
      members: Array.from({ length: 24 }, (_, at) => ({ id: `m-${at}`, name: `Person ${at}` })),
    },
  );

const offline = (minutes: number) =>
  ({ connection: { kind: "offline", since_ms: Date.now() - minutes * MINUTE } }) as const;
const troubled = (code: AppError["code"]) => ({ problem: problem(code) });

/** By name, so that a test or a person can ask for one: `/kiosk.html?scene=code`. */
export const kioskScenes = {
  starting: () => moment({ kind: "starting" }),
  unconfigured: () => moment({ kind: "unconfigured" }),
  waiting_for_server: () => moment({ kind: "waiting_for_server" }),
  waiting_unreachable: () =>
    moment({ kind: "waiting_for_server" }, { ...offline(9), ...troubled("server.unreachable") }),
  code: () => moment(codeStage(2)),
  code_last: () => moment(codeStage(9.4)),
  code_former: () => moment(codeStage(4, { former_name: "Kitchen" })),
  code_long: () => moment(codeStage(1, { former_name: LONG.slice(0, 60) }), troubled("store.lost")),
  code_mismatch: () => moment(renewedStage(), troubled("device.confirm_mismatch")),
  idle: () => moment({ kind: "idle" }),
  claimed: () => moment(claimedStage()),
  linking: () => moment({ kind: "linking" }),
  welcome: () => moment(welcomeStage),
  welcome_long: () =>
    moment({ kind: "welcome", family_name: `Die ${LONG}`.slice(0, 60), device_name: LONG }),
  wall: () => moment(wallStage(wallNotes(3))),
  wall_empty: () => moment(wallStage([])),
  wall_one: () => moment(wallStage(wallNotes(1))),
  wall_many: () => moment(wallStage(wallNotes(9))),
  wall_long: () => moment(longWall()),
  wall_offline: () =>
    moment(
      { ...wallStage(wallNotes(2)), as_of_ms: Date.now() - 90 * MINUTE },
      { ...offline(90), ...troubled("server.unreachable") },
    ),
  wall_locked: () => moment(wallStage(wallNotes(2)), troubled("store.locked")),
  storage_blocked: () => moment({ kind: "storage_blocked" }, troubled("store.locked")),
} satisfies Record<string, () => KioskSnapshot>;

/** The name of a moment of a wall. */
export type KioskSceneName = keyof typeof kioskScenes;

/** Whether a text names a moment of a wall. */
export function isKioskSceneName(text: string): text is KioskSceneName {
  return Object.hasOwn(kioskScenes, text);
}
