import { Channel, invoke } from "@tauri-apps/api/core";

import type { SessionSnapshot } from "../wire/SessionSnapshot";
import { errorOf, Refused, type CommandName, type Commands, type Host, type Takes } from "./host";

/** The real host. Nothing else in the UI imports Tauri. */
export const tauriHost: Host = {
  async call<C extends CommandName>(command: C, ...takes: Takes<C>) {
    return await ask<Commands[C]["answers"]>(command, takes[0]);
  },

  /** A channel and not an event: a window that may listen to events would hear the deep link too. */
  async watchSession(listener: (snapshot: SessionSnapshot) => void) {
    await ask("watch_session", { channel: new Channel<SessionSnapshot>(listener) });
  },
};

async function ask<Answer>(command: string, takes?: Record<string, unknown>): Promise<Answer> {
  try {
    return await invoke<Answer>(command, takes);
  } catch (rejection) {
    throw new Refused(errorOf(rejection));
  }
}
