/** How many letters a text has once it is trimmed, counted as the server counts: by code point. */
export function lettersOf(text: string): number {
  return Array.from(text.trim()).length;
}
