import { expect, it } from "vitest";

import { readAddress } from "../../../src/screens/address";

it.each([
  ["https://login.example.com/family", "https://login.example.com/family"],
  ["  login.example.com/family ", "https://login.example.com/family"],
  [
    "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_signin/v2.0/",
    "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_signin/v2.0/",
  ],
  ["http://localhost:18455/x", "http://localhost:18455/x"],
  ["http://127.0.0.1:9/", "http://127.0.0.1:9/"],
  ["http://[::1]:9/", "http://[::1]:9/"],
])("%j is taken as %s", (typed, address) => {
  expect(readAddress(typed)).toBe(address);
});

it.each([
  "",
  "family",
  "http://login.example.com",
  "ftp://login.example.com",
  "javascript:alert(1)",
  "https://",
  "https://ana:secret@login.example.com",
  "two words.example",
])("%j is no address", (typed) => {
  expect(readAddress(typed)).toBeNull();
});
