import { readAddress } from "./address";
import { isCode, readCode } from "./code";

/** What the link of an invitation says. */
export interface Invitation {
  /** Where the family server is. */
  readonly address: string;
  /** The code, when it is whole. */
  readonly code: string | null;
}

/** `https://family.example/join#K7M3QXW92H`, as the server makes it, whatever is written around it. */
const LINK = /(\S+?)\/join\/?#(\S*)/i;

/** The invitation in what a person typed or pasted; null when there is no link to one in it. */
export function readInvitation(typed: string): Invitation | null {
  const [, place = "", after = ""] = LINK.exec(typed) ?? [];
  const address = readAddress(place);
  if (!address) return null;
  const code = readCode(after);
  return { address, code: isCode(code) ? code : null };
}
