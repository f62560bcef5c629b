import { mount } from "svelte";

import type { KioskHost, KioskStart } from "../lib/host/host";
import { tauriKiosk } from "../lib/host/tauri";
import { wantedLocale } from "../lib/i18n/words.svelte";
import Kiosk from "./Kiosk.svelte";
import { kioskWords } from "./words";

const target = document.getElementById("app");
if (target) mount(Kiosk, { target, props: await prepare() });

/** What the first frame needs, its words among it: none of them is to change under the eyes. */
async function prepare(): Promise<{ host: KioskHost; start: KioskStart | undefined }> {
  const host = await chooseHost();
  const start = givenStart() ?? (await askForStart(host).catch(() => undefined));
  await kioskWords.bring(wantedLocale(start?.settings.language ?? "system", navigator.languages));
  return { host, start };
}

/**
 * What Rust put there, which is as the display stood when the program started. A page that is loaded
 * again, as after the end of its process, is given the same once more: by then the display may
 * belong to another family, or to none.
 */
function givenStart(): KioskStart | undefined {
  const start = window.__LUMINOUS_START__ as KioskStart | undefined;
  // A wall runs for months: what it showed first must not be there any more when its link is over.
  Reflect.deleteProperty(window, "__LUMINOUS_START__");
  const [load] = performance.getEntriesByType("navigation");
  const isFirst = (load as PerformanceNavigationTiming | undefined)?.type === "navigate";
  return isFirst ? start : undefined;
}

/** Asks for what Rust did not put there; without an answer the wall begins dark, and listens. */
async function askForStart(host: KioskHost): Promise<KioskStart> {
  const [snapshot, settings] = await Promise.all([
    host.call("kiosk_snapshot"),
    host.call("load_settings"),
  ]);
  return { snapshot, settings };
}

/** The fake host exists in preview builds only; this condition is what keeps it out of the product. */
async function chooseHost(): Promise<KioskHost> {
  if (import.meta.env.MODE === "preview" && !("__TAURI_INTERNALS__" in window)) {
    const { previewKiosk } = await import("../lib/host/kiosk_preview");
    return previewKiosk();
  }
  return tauriKiosk;
}
