import { expect, it } from "vitest";

import { Navigation } from "../../../../src/lib/state/navigation.svelte";

it("leads back home when the session moves on, and only then", () => {
  const navigation = new Navigation();
  navigation.follow("signed_in", false);
  navigation.go("settings");
  navigation.follow("signed_in", false);
  expect(navigation.page).toBe("settings");
  navigation.follow("signed_out", false);
  expect(navigation.page).toBe("home");
});

it("leads back to their page whoever was only away to confirm something", () => {
  const navigation = new Navigation();
  navigation.follow("signed_in", false);
  navigation.go("family");
  navigation.follow("waiting_for_browser", true);
  expect([navigation.page, navigation.inside]).toEqual(["home", "family"]);
  navigation.go("settings");
  expect([navigation.page, navigation.inside]).toEqual(["settings", "family"]);
  navigation.follow("finishing", true);
  expect([navigation.page, navigation.inside]).toEqual(["home", "family"]);
  navigation.follow("signed_in", false);
  expect([navigation.page, navigation.inside]).toEqual(["family", "family"]);
});

it("forgets the page of somebody who is signed out while they are away", () => {
  const navigation = new Navigation();
  navigation.follow("signed_in", false);
  navigation.go("family");
  navigation.follow("waiting_for_browser", true);
  navigation.follow("signed_out", false);
  navigation.follow("signed_in", false);
  expect(navigation.page).toBe("home");
});
