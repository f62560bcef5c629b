import { describe, expect, it } from "vitest";

import { groupCode, isCode, readCode } from "../../../src/screens/code";

describe("the code of an invitation", () => {
  it.each([
    ["K7M3Q XW92H", "K7M3Q XW92H"],
    ["k7m3qxw92h", "K7M3Q XW92H"],
    [" k7m3q - xw92h ", "K7M3Q XW92H"],
    ["k7m3q", "K7M3Q"],
    ["k7m3qx", "K7M3Q X"],
    ["https://family.example/join#K7M3QXW92H", "K7M3Q XW92H"],
    ["Come in: https://family.example/join#K7M3QXW92H Love, Ana", "K7M3Q XW92H"],
    ["", ""],
  ])("%j is shown as %j", (typed, shown) => {
    expect(groupCode(typed)).toBe(shown);
    expect(groupCode(shown)).toBe(shown);
  });

  it("d20 look-alikes and full-width forms are read as what was meant", () => {
    const meant = "0011234567";
    for (const typed of ["oO1l2 34567", "OoiL2-34567", "\uff10\uff10\uff11\uff11234567"]) {
      expect(readCode(typed), typed).toBe(meant);
    }
  });

  it.each(["K7M3Q XW92", "K7M3Q XW92HH", "K7M3Q XW92U", "K7M3Q XW92É", ""])(
    "d20 %j cannot be one",
    (typed) => {
      expect(isCode(readCode(typed))).toBe(false);
    },
  );
});
