import type { KioskHost } from "./host";

/** A fake host for a plain browser. */
export function previewKiosk(): KioskHost {
  throw new Error("not yet");
}
