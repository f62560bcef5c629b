import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

it("the host knows every command that Rust offers, and no other", () => {
  const rust = readFileSync("../src-tauri/commands.in", "utf8");
  const offered = [...rust.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  const source = readFileSync("src/lib/host/host.ts", "utf8");
  const tables = source.match(/interface (Kiosk)?Commands \{.*?\n\}/gs) ?? [];
  const known = [...tables.join("\n").matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name);
  const watched = ["watch_family", "watch_kiosk", "watch_session"];
  expect(tables).toHaveLength(2);
  expect(offered.length).toBeGreaterThan(5);
  expect([...new Set([...known, ...watched])].sort()).toEqual([...offered].sort());
});
