import { defineConfig } from 'vitest/config';

/** `npm run soak`: the fault tests again, with many random timings, and 10,000 firings under faults. */
export default defineConfig({
  test: {
    include: ['spec/soak/**/*.test.ts'],
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});
