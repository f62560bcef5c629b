import { mount } from "svelte";

import App from "./App.svelte";
import type { Host } from "./lib/host/host";
import { tauriHost } from "./lib/host/tauri";

const target = document.getElementById("app");
if (target)
  mount(App, { target, props: { host: await chooseHost(), start: window.__LUMINOUS_START__ } });

/** The fake host exists in preview builds only; this condition is what keeps it out of the product. */
async function chooseHost(): Promise<Host> {
  if (import.meta.env.MODE === "preview" && !("__TAURI_INTERNALS__" in window)) {
    const { previewHost } = await import("./lib/host/preview");
    return previewHost();
  }
  return tauriHost;
}
