import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes of Ruby behind a short file: last in the order of size, it would keep one core waiting for it. */
const longest = 'spec/puppet/rspec.test.ts';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(longest);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  test: {
    include: ['spec/{unit,integration,puppet,e2e,faults,hostile}/**/*.test.ts'],
    // Runners, drivers and daemons are started from dist.
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    // Most of the time a test waits for a daemon, for Puppet or for etcd: two cores serve three files.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // For what hangs. How long something takes is asserted nowhere: three files and their daemons share two cores.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
