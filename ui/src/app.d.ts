import type { KioskStart, Start } from "./lib/host/host";

declare global {
  /** The version in package.json, put in by Vite. */
  const __APP_VERSION__: string;

  interface Window {
    /**
     * Put there by Rust before the page loads, so that the first frame is already the right one: a
     * `Start` for the page of a family member, a `KioskStart` for that of a wall display.
     */
    readonly __LUMINOUS_START__?: Start | KioskStart;
  }
}
