import { expect, it } from "vitest";

import { Navigation } from "../../../../src/lib/state/navigation.svelte";

it("leads back home when the session moves on, and only then", () => {
  const navigation = new Navigation();
  navigation.follow("signed_in");
  navigation.go("settings");
  navigation.follow("signed_in");
  expect(navigation.page).toBe("settings");
  navigation.follow("signed_out");
  expect(navigation.page).toBe("home");
});
