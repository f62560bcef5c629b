/** How far the picture stands off its place, in steps of a few pixels. */
export interface Shift {
  readonly x: number;
  readonly y: number;
}

const MINUTE = 60_000;
/** Half the ways to and fro; without a common divisor, so that the paths cross everywhere. */
const ACROSS = 7;
const DOWN = 6;

/**
 * Where the picture stands in the minute of `now` (Unix time in ms): somewhere else than the minute
 * before, so that nothing bright stays on the same spot of the glass for hours.
 */
export function shiftAt(now: number): Shift {
  const minute = Math.floor(now / MINUTE);
  return { x: toAndFro(minute, ACROSS), y: toAndFro(minute, DOWN) };
}

/** One step for each minute, from one side to the other and back. */
function toAndFro(minute: number, steps: number): number {
  const phase = minute % (2 * steps);
  return Math.min(phase, 2 * steps - phase) - Math.floor(steps / 2);
}
