/** An address as people say it: without what every address begins with. */
export function spoken(address: string): string {
  return address.replace(/^https?:\/\//i, "").replace(/\/$/, "");
}
