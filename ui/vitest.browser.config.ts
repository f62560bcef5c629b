import { defineConfig } from "vitest/config";

/** The built pages in a real Chromium; `npm run test:browser` builds them first. */
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    // One browser at a time: the machine may be small.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
