/** How many symbols a code has; they stand in two groups. */
interface Shape {
  readonly length: number;
}

/** The code of an invitation. */
const INVITATION: Shape = { length: 10 };

/** The code on a display that waits for somebody to link it. */
export const ON_DISPLAY: Shape = { length: 6 };

/**
 * The symbols of a code as somebody typed or pasted it: any case, any grouping, look-alikes read as
 * what was meant, a whole link as the code at its end, whatever is written around it.
 */
export function readCode(typed: string): string {
  const link = /#(\S+)[^#]*$/.exec(typed);
  return (link?.[1] ?? typed)
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");
}

/** The same, as it is shown: `K7M3Q XW92H`. */
export function groupCode(typed: string, { length } = INVITATION): string {
  const symbols = readCode(typed);
  return [symbols.slice(0, length / 2), symbols.slice(length / 2)].filter(Boolean).join(" ");
}

/** Whether these can be the symbols of a code. Only the shape is judged; Rust decides. */
export function isCode(symbols: string, { length } = INVITATION): boolean {
  return symbols.length === length && /^[0-9A-HJKMNP-TV-Z]+$/.test(symbols);
}
