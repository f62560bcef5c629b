import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

it("the host knows every command that Rust offers, and no other", () => {
  const rust = readFileSync("../src-tauri/commands.in", "utf8");
  const offered = [...rust.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  const table = /interface Commands \{(.*?)\n\}/s.exec(
    readFileSync("src/lib/host/host.ts", "utf8"),
  );
  const known = [...(table?.[1] ?? "").matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name);
  expect(offered.length).toBeGreaterThan(5);
  expect([...known, "watch_session"].sort()).toEqual([...offered].sort());
});
