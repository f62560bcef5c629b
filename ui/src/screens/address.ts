const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * The sign-in address a person typed, made whole, or null when it cannot be one. Only the coarse
 * shape is judged here, to help at once; Rust decides.
 */
export function readAddress(typed: string): string | null {
  const text = typed.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || /\s/.test(text) || url.username || url.password) return null;
  const isLoopback = LOOPBACK.includes(url.hostname);
  if (url.protocol === "http:" && isLoopback) return url.href;
  return url.protocol === "https:" && (isLoopback || url.hostname.includes(".")) ? url.href : null;
}
