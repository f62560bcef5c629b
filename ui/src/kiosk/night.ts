/** The hours of the day, local time, between which a wall is dim. */
const DUSK = 22;
const DAWN = 6;

/** Whether it is night where the wall hangs. `now` is Unix time in ms. */
export function isNight(now: number): boolean {
  const hour = new Date(now).getHours();
  return hour >= DUSK || hour < DAWN;
}
