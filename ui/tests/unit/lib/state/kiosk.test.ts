import { describe, expect, it } from "vitest";

import { FakeKiosk } from "../../../../src/lib/host/kiosk_fake";
import { kioskScenes } from "../../../../src/lib/host/kiosk_scenes";
import { problem } from "../../../../src/lib/host/scenes";
import { KioskState } from "../../../../src/lib/state/kiosk.svelte";
import { ENGLISH } from "../../show";

async function kioskAt(scene: keyof typeof kioskScenes) {
  const host = new FakeKiosk(kioskScenes[scene](), ENGLISH);
  const kiosk = new KioskState(host);
  await kiosk.follow();
  return { host, kiosk };
}

describe("the wall display", () => {
  it("begins by starting, and is what Rust says from then on", async () => {
    const host = new FakeKiosk(kioskScenes.code(), ENGLISH);
    const kiosk = new KioskState(host);
    expect(kiosk.stage.kind).toBe("starting");
    await kiosk.follow();
    expect(kiosk.stage.kind).toBe("code");
  });

  it("does not go back to what is older", async () => {
    const { host, kiosk } = await kioskAt("code");
    const old = host.snapshot;
    host.show({ stage: { kind: "linking" } });
    host.send(old);
    expect(kiosk.stage.kind).toBe("linking");
  });

  it("says what is wrong with the last touch until something happens", async () => {
    const { host, kiosk } = await kioskAt("idle");
    host.refuse("show_code", problem("device.rate_limited"));
    await kiosk.showCode();
    expect(kiosk.problem?.code).toBe("device.rate_limited");
    expect(kiosk.busy).toBeNull();
    host.show({});
    expect(kiosk.problem).toBeNull();
  });

  it("takes two touches at once for one", async () => {
    const { host, kiosk } = await kioskAt("idle");
    await Promise.all([kiosk.showCode(), kiosk.showCode()]);
    expect(host.calls.filter(({ command }) => command === "show_code")).toHaveLength(1);
  });
});
