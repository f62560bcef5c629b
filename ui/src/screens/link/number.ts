/** The digits of the number on a display, as somebody typed them; never more than its two. */
export function readNumber(typed: string): string {
  return typed.normalize("NFKC").replace(/\D/g, "").slice(0, 2);
}

/** Whether this can be the number on a display. Only the shape is judged; the server decides. */
export function isNumber(digits: string): boolean {
  return /^\d\d$/.test(digits);
}
