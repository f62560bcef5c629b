import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import manifest from "./package.json" with { type: "json" };

/**
 * `vite build` makes the product (`dist`); `--mode preview` makes the same pages played by the fake
 * host (`dist-preview`), for a plain browser. Only the mode tells them apart, see `src/main.ts`.
 */
export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  define: { __APP_VERSION__: JSON.stringify(manifest.version) },
  server: { port: 5173, strictPort: true },
  build: {
    outDir: mode === "preview" ? "dist-preview" : "dist",
    emptyOutDir: true,
    // What `light-dark()` in tokens.css needs; every system web view of today is newer.
    target: ["chrome123", "safari17.5"],
    // A data: address for a picture is fine, but one file per picture is easier to look at.
    assetsInlineLimit: 0,
    // One style sheet, before the first frame: a page that comes later is never seen without it.
    cssCodeSplit: false,
    rolldownOptions: { input: ["index.html", "kiosk.html"] },
    modulePreload: { polyfill: false },
  },
}));
