import type { KioskState } from "../lib/state/kiosk.svelte";
import type { ErrorCode } from "../lib/wire/ErrorCode";
import type { KioskKey } from "./words";

type HintKey = Extract<KioskKey, `hint.${string}`>;

/**
 * What a wall says about a problem: one calm sentence for whoever passes by, or nothing, where
 * nobody in front of a wall can do anything about it. Complete over the union.
 */
export const HINTS: Record<ErrorCode, HintKey | null> = {
  "config.invalid": "hint.setup",
  "net.unreachable": "hint.unreachable",
  "net.captive": "hint.captive",
  "provider.busy": "hint.busy",
  "provider.config": "hint.setup",
  "provider.no_access": "hint.setup",
  "discovery.failed": "hint.setup",
  "keys.unavailable": "hint.busy",
  "token.rejected": "hint.refused",
  "clock.skew": "hint.clock",
  "redirect.no_channel": null,
  "redirect.no_browser": null,
  "redirect.cancelled": null,
  "redirect.expired": null,
  "redirect.no_pending": null,
  "redirect.state_mismatch": null,
  "redirect.already_used": null,
  "redirect.issuer_mismatch": null,
  "redirect.malformed": null,
  "redirect.password_reset": null,
  "redirect.refused": null,
  "redirect.exchange_rejected": null,
  "session.reauth_required": null,
  "session.identity_changed": null,
  "session.stale_generation": null,
  "session.step_up_required": null,
  "session.step_up_unavailable": null,
  "session.other_provider": null,
  "server.absent": "hint.setup",
  "server.not_luminous": "hint.setup",
  "server.unreachable": "hint.unreachable",
  "server.busy": "hint.busy",
  "server.refused": "hint.refused",
  "authz.role_missing": "hint.refused",
  "authz.family_mismatch": "hint.refused",
  "family.already_member": null,
  "family.last_owner": null,
  "family.name_mismatch": null,
  "invite.code_format": null,
  "invite.invalid": null,
  "invite.rate_limited": null,
  "device.code_format": null,
  "device.code_invalid": null,
  "device.confirm_mismatch": "hint.mismatch",
  "device.rate_limited": "hint.limited",
  "device.proximity_required": null,
  "device.capacity": "hint.capacity",
  "input.invalid": null,
  "limit.reached": "hint.limited",
  "resource.not_found": null,
  "store.unavailable": "hint.keyring",
  "store.locked": "hint.locked",
  "store.waiting": "hint.locked",
  "store.timeout": "hint.silent",
  "store.lost": "hint.lost",
  "store.corrupt": "hint.lost",
  "store.write_failed": "hint.unsaved",
  internal: "hint.internal",
};

/** What there is to say now. */
export function hintOf({ problem, stage, connection }: KioskState): HintKey | null {
  if (!problem) return null;
  const hint = HINTS[problem.code];
  // The wall says in its corner since when it has not heard anything.
  const isSaid = stage.kind === "wall" && connection.kind === "offline";
  return hint === "hint.unreachable" && isSaid ? null : hint;
}
