import { defineConfig } from "vitest/config";

/** The built pages in a real Chromium; `npm run test:browser` builds them first. */
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    globalSetup: ["tests/browser/setup.ts"],
    // One browser for all: the pages are cheap, the machine may be small.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
