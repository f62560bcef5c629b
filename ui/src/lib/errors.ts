import type { MessageKey } from "./i18n/catalogs";
import type { AppError } from "./wire/AppError";
import type { ErrorCode } from "./wire/ErrorCode";

/** How loud a problem is: news of what the person did, something to see to, something broken. */
export type Tone = "calm" | "warning" | "danger";

/** The words for an error: what happened, and what to do. */
export interface ErrorWords {
  readonly what: MessageKey;
  readonly todo: MessageKey;
  readonly tone: Tone;
}

function words(code: ErrorCode, tone: Tone): ErrorWords {
  // The template types make a code without its two sentences fail to compile.
  return { what: `problem.${code}.what`, todo: `problem.${code}.todo`, tone };
}

/** Complete over the union: a new code in Rust fails the type check until it has words. */
export const ERRORS: Record<ErrorCode, ErrorWords> = {
  "config.invalid": words("config.invalid", "warning"),
  "net.unreachable": words("net.unreachable", "warning"),
  "net.captive": words("net.captive", "warning"),
  "provider.busy": words("provider.busy", "warning"),
  "provider.config": words("provider.config", "danger"),
  "provider.no_access": words("provider.no_access", "danger"),
  "discovery.failed": words("discovery.failed", "danger"),
  "keys.unavailable": words("keys.unavailable", "warning"),
  "token.rejected": words("token.rejected", "danger"),
  "clock.skew": words("clock.skew", "warning"),
  "redirect.no_channel": words("redirect.no_channel", "danger"),
  "redirect.no_browser": words("redirect.no_browser", "warning"),
  "redirect.cancelled": words("redirect.cancelled", "calm"),
  "redirect.expired": words("redirect.expired", "calm"),
  "redirect.no_pending": words("redirect.no_pending", "calm"),
  "redirect.state_mismatch": words("redirect.state_mismatch", "danger"),
  "redirect.already_used": words("redirect.already_used", "calm"),
  "redirect.issuer_mismatch": words("redirect.issuer_mismatch", "danger"),
  "redirect.malformed": words("redirect.malformed", "warning"),
  "redirect.password_reset": words("redirect.password_reset", "calm"),
  "redirect.refused": words("redirect.refused", "warning"),
  "redirect.exchange_rejected": words("redirect.exchange_rejected", "danger"),
  "session.reauth_required": words("session.reauth_required", "calm"),
  "session.identity_changed": words("session.identity_changed", "warning"),
  "session.stale_generation": words("session.stale_generation", "calm"),
  "session.step_up_required": words("session.step_up_required", "calm"),
  "session.step_up_unavailable": words("session.step_up_unavailable", "danger"),
  "session.other_provider": words("session.other_provider", "warning"),
  "server.absent": words("server.absent", "warning"),
  "server.not_luminous": words("server.not_luminous", "warning"),
  "server.unreachable": words("server.unreachable", "warning"),
  "server.busy": words("server.busy", "warning"),
  "server.refused": words("server.refused", "warning"),
  "authz.role_missing": words("authz.role_missing", "warning"),
  "authz.family_mismatch": words("authz.family_mismatch", "warning"),
  "family.already_member": words("family.already_member", "calm"),
  "family.last_owner": words("family.last_owner", "warning"),
  "family.name_mismatch": words("family.name_mismatch", "warning"),
  "invite.code_format": words("invite.code_format", "warning"),
  "invite.invalid": words("invite.invalid", "warning"),
  "invite.rate_limited": words("invite.rate_limited", "warning"),
  "device.code_format": words("device.code_format", "warning"),
  "device.code_invalid": words("device.code_invalid", "warning"),
  "device.confirm_mismatch": words("device.confirm_mismatch", "warning"),
  "device.rate_limited": words("device.rate_limited", "warning"),
  "device.proximity_required": words("device.proximity_required", "warning"),
  "device.capacity": words("device.capacity", "warning"),
  "input.invalid": words("input.invalid", "warning"),
  "limit.reached": words("limit.reached", "warning"),
  "resource.not_found": words("resource.not_found", "calm"),
  "store.unavailable": words("store.unavailable", "warning"),
  "store.locked": words("store.locked", "warning"),
  "store.waiting": words("store.waiting", "calm"),
  "store.timeout": words("store.timeout", "warning"),
  "store.lost": words("store.lost", "warning"),
  "store.corrupt": words("store.corrupt", "warning"),
  "store.write_failed": words("store.write_failed", "warning"),
  internal: words("internal", "danger"),
};

/** What "Copy details" copies. English, as whoever helps may not speak the person's language. */
export function details(error: AppError, at: number): string {
  const lines: [string, string | null][] = [
    ["Code", error.code],
    ["Reason", error.reason],
    ["Correlation id", error.correlation_id],
    ["Time", new Date(at).toISOString()],
    ["Message", error.message],
    ["Luminous", __APP_VERSION__],
  ];
  return lines.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])).join("\n");
}
