/** How identity providers call themselves in tokens, and how people call them. */
const NAMES: Record<string, string> = {
  "google.com": "Google",
  "apple.com": "Apple",
  "live.com": "Microsoft",
  "facebook.com": "Facebook",
};

/** A name for people; a provider we do not know keeps its own. */
export function providerName(identityProvider: string): string {
  return Object.hasOwn(NAMES, identityProvider)
    ? (NAMES[identityProvider] ?? "")
    : identityProvider;
}
