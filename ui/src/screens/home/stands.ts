/** How long a note may stand: until somebody takes it down, for the rest of the day, or for a week. */
export const STANDS = ["open", "today", "week"] as const;

/** One of those. */
export type Stands = (typeof STANDS)[number];

const HOUR = 3_600_000;

/** The same as the server wants it, in whole hours from `now` (Unix time in ms). */
export function hoursOf(stands: Stands, now: number): { hours?: number } {
  if (stands === "open") return {};
  if (stands === "week") return { hours: 7 * 24 };
  const midnight = new Date(now);
  midnight.setHours(24, 0, 0, 0);
  return { hours: Math.ceil((midnight.getTime() - now) / HOUR) };
}
