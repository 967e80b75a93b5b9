import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['spec/{unit,integration,puppet,e2e,faults}/**/*.test.ts'],
    // Runners, drivers and daemons are started from dist.
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    // Most of the time a test waits for a daemon, for Puppet or for etcd: two cores serve three files.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
