import { mount } from "svelte";

import App from "./App.svelte";
import type { Host, Start } from "./lib/host/host";
import { tauriHost } from "./lib/host/tauri";
import { windowWords } from "./lib/i18n/catalogs";
import { wantedLocale } from "./lib/i18n/words.svelte";
import type { Stage } from "./lib/wire/Stage";
import { bringPages } from "./screens/pages";

const target = document.getElementById("app");
if (target) mount(App, { target, props: await prepare() });

/** What the first frame needs, its words among it: none of them is to change under the eyes. */
async function prepare(): Promise<{ host: Host; start: Start | undefined }> {
  const props = await chooseHost();
  const language = props.start?.settings.language ?? "system";
  await windowWords.bring(wantedLocale(language, navigator.languages));
  if (props.start && beginsElsewhere(props.start.snapshot.stage)) await bringPages();
  return props;
}

/** Whether the first screen is one of those that come apart from the first load. */
function beginsElsewhere(stage: Stage): boolean {
  if (stage.kind !== "signed_in") {
    return stage.kind === "unconfigured" || stage.kind === "waiting_for_browser";
  }
  const { family } = stage;
  return (
    family.kind === "outside" ||
    (family.kind === "member" && family.membership.state === "deactivated")
  );
}

/** The fake host exists in preview builds only; this condition is what keeps it out of the product. */
async function chooseHost(): Promise<{ host: Host; start: Start | undefined }> {
  if (import.meta.env.MODE === "preview" && !("__TAURI_INTERNALS__" in window)) {
    const { previewHost } = await import("./lib/host/preview");
    const host = previewHost();
    return { host, start: { snapshot: host.snapshot, settings: host.settings } };
  }
  return { host: tauriHost, start: window.__LUMINOUS_START__ as Start | undefined };
}
