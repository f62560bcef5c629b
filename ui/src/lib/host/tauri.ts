import { Channel, invoke } from "@tauri-apps/api/core";

import { errorOf, Refused, type Host, type KioskHost } from "./host";

/** The real host of a family member's window. Nothing else in the UI imports Tauri. */
export const tauriHost: Host = {
  call: (command, ...takes) => ask(command, takes[0]),
  watchSession: (listener) => watch("watch_session", listener),
  watchFamily: (listener) => watch("watch_family", listener),
};

/** The real host of a wall display's window. */
export const tauriKiosk: KioskHost = {
  call: (command, ...takes) => ask(command, takes[0]),
  watchKiosk: (listener) => watch("watch_kiosk", listener),
};

/** A channel and not an event: a window that may listen to events would hear the deep link too. */
async function watch(command: string, listener: (news: never) => void): Promise<void> {
  await ask(command, { channel: new Channel(listener) });
}

async function ask<Answer>(command: string, takes?: Record<string, unknown>): Promise<Answer> {
  try {
    return await invoke<Answer>(command, takes);
  } catch (rejection) {
    throw new Refused(errorOf(rejection));
  }
}
