import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, describe, expect, it } from "vitest";

import { Refused } from "../../../../src/lib/host/host";
import { problem, scenes } from "../../../../src/lib/host/scenes";
import { tauriHost } from "../../../../src/lib/host/tauri";

afterEach(() => clearMocks());

describe("the real host", () => {
  it("calls a command by its name with its arguments", async () => {
    const calls: unknown[] = [];
    mockIPC((command, payload) => calls.push([command, payload]));
    await tauriHost.call("sign_out", { scope: "and_provider" });
    await tauriHost.call("retry_storage");
    expect(calls).toEqual([
      ["sign_out", { scope: "and_provider" }],
      ["retry_storage", {}],
    ]);
  });

  it("rejects with the error that Rust gave", async () => {
    mockIPC(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- this is what Tauri does
      throw problem("net.unreachable");
    });
    const rejection: unknown = await tauriHost
      .call("begin_sign_in", { intent: "sign_in", hint: null })
      .catch(same);
    expect(rejection).toBeInstanceOf(Refused);
    expect((rejection as Refused).error).toEqual(problem("net.unreachable"));
  });

  it("reads a bare sentence, as for a command that is not allowed, as a defect of ours", async () => {
    mockIPC(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- this is what Tauri does
      throw "connect not allowed on window";
    });
    const rejection: unknown = await tauriHost.call("session_snapshot").catch(same);
    expect((rejection as Refused).error).toMatchObject({
      code: "internal",
      message: "connect not allowed on window",
    });
  });

  it("watches the session through a channel and not through events", async () => {
    let answer: ((message: unknown) => void) | undefined;
    mockIPC((command, payload) => {
      const { channel } = payload as { channel: { onmessage: (message: unknown) => void } };
      if (command === "watch_session") answer = (message) => channel.onmessage(message);
    });
    const heard: unknown[] = [];
    await tauriHost.watchSession((snapshot) => heard.push(snapshot));
    answer?.(scenes.home());
    expect(heard).toEqual([scenes.home()]);
  });
});

function same(thrown: unknown): unknown {
  return thrown;
}
