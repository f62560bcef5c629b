/** How many colours tokens.css has for people. */
const COLOURS = 6;

/** The first letters of the first and the last word of a name; `?` when there is none. */
export function initialsOf(name: string): string {
  // Only letters and digits start a word here: a name may also be `"><img src=x>`.
  const words = name.split(/\s+/).flatMap((part) => /[\p{L}\p{N}].*/u.exec(part)?.[0] ?? []);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words.slice(0, 1);
  return ends.map((word) => firstLetter(word ?? "")).join("") || "?";
}

/** A colour for an id, from 1. */
export function colourOf(id: string): number {
  let sum = 0;
  for (const unit of id) sum = (sum * 31 + (unit.codePointAt(0) ?? 0)) % 9973;
  return (sum % COLOURS) + 1;
}

/** A letter as people see it, with its marks. */
function firstLetter(word: string): string {
  for (const { segment } of new Intl.Segmenter().segment(word)) return segment.toLocaleUpperCase();
  return "";
}
