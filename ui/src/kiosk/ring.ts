/** How long a code is shown, by this computer's clock. Unix time in ms. */
export interface Life {
  readonly shown_at_ms: number;
  readonly expires_at_ms: number;
}

const MINUTE = 60_000;

/** How much of a code's life is left: 1 when it is new, 0 when it is over. */
export function lifeLeft({ shown_at_ms, expires_at_ms }: Life, now: number): number {
  const whole = expires_at_ms - shown_at_ms;
  if (whole <= 0) return 0;
  return Math.min(1, Math.max(0, (expires_at_ms - now) / whole));
}

/** For how many minutes one can say that a code is still good; 0 in its last one. */
export function minutesLeft({ expires_at_ms }: Life, now: number): number {
  return Math.max(0, Math.floor((expires_at_ms - now) / MINUTE));
}
