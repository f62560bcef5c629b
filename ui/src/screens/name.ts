import { lettersOf } from "../components/letters";
import type { MessageKey } from "../lib/i18n/catalogs";

/** How long a name may be, after trimming. */
const LONGEST = 60;

/** What is wrong with the name of a family or a child, to help at once; the server decides. */
export function nameProblem(typed: string): MessageKey | null {
  const letters = lettersOf(typed);
  if (letters === 0) return "name.missing";
  return letters > LONGEST ? "name.long" : null;
}

/** What is wrong with the room of a display, which need not have one. */
export function roomProblem(typed: string): MessageKey | null {
  return lettersOf(typed) > LONGEST ? "name.long" : null;
}
