import { defineConfig } from 'vitest/config';

/** `npm run acceptance`: real systemd nodes in containers, and whatever else takes long. Needs root. */
export default defineConfig({
  test: {
    include: ['spec/acceptance/**/*.test.ts'],
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
