import type { MembershipView } from "../lib/wire/MembershipView";
import type { MemberView } from "../lib/wire/MemberView";

/** The roles of people, the most powerful first. */
const ROLES = ["owner", "admin", "adult", "teen", "child", "caregiver"] as const;

/** A role that a person can have; a display is a device's. */
export type PersonRole = (typeof ROLES)[number];

/** The roles that somebody in this place may give. Only owners make owners; the server decides. */
export function grantable({ role }: MembershipView): readonly PersonRole[] {
  return role === "owner" ? ROLES : ROLES.filter((one) => one !== "owner");
}

/** Whether somebody in this place may change that member's role or take them out. */
export function rulesOver(place: MembershipView, member: MemberView): boolean {
  if (member.is_me || member.managed) return false;
  const mayTouch = place.role === "owner" || member.role !== "owner";
  return mayTouch && place.permissions.includes("members.manage");
}

/** Whether somebody in this place looks after that member: a child without an account. */
export function looksAfter({ permissions }: MembershipView, member: MemberView): boolean {
  return member.managed && permissions.includes("children.manage");
}
