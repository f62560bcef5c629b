/** How many symbols the code of an invitation has; they stand in two groups. */
const LENGTH = 10;
const GROUP = 5;

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
export function groupCode(typed: string): string {
  const symbols = readCode(typed);
  return [symbols.slice(0, GROUP), symbols.slice(GROUP)].filter(Boolean).join(" ");
}

/** Whether these can be the symbols of a code. Only the shape is judged; Rust decides. */
export function isCode(symbols: string): boolean {
  return symbols.length === LENGTH && /^[0-9A-HJKMNP-TV-Z]+$/.test(symbols);
}
