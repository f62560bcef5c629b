import { describe, expect, it } from "vitest";

import { readInvitation } from "../../../src/screens/invitation";

const WHOLE = { address: "https://family.example/", code: "K7M3QXW92H" };

describe("the link of an invitation", () => {
  it.each([
    "https://family.example/join#K7M3QXW92H",
    "  family.example/join#k7m3q-xw92h ",
    "Come in: https://family.example/join/#K7M3QXW92H Love, Ana",
  ])("says where the server is, and the code: %s", (typed) => {
    expect(readInvitation(typed)).toEqual(WHOLE);
  });

  it("keeps a server that lives under a path", () => {
    expect(readInvitation("https://example.com/luminous/join#K7M3QXW92H")?.address).toBe(
      "https://example.com/luminous",
    );
  });

  it("says at least where the server is when the code was cut off", () => {
    expect(readInvitation("https://family.example/join#K7M")).toEqual({ ...WHOLE, code: null });
  });

  it.each([
    "",
    "family.example",
    "K7M3Q XW92H",
    "https://family.example/join",
    "http://a.b/join#K7M3QXW92H",
  ])("is not in %j", (typed) => {
    expect(readInvitation(typed)).toBeNull();
  });
});
