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
