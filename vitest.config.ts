import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes of Ruby behind a short file: last in the order of size, it would keep one core waiting for it. */
const longest = 'spec/puppet/rspec.test.ts';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(longest);
    const isUnit = ({ project }: TestSpecification): boolean => project.name === 'unit';
    return [
      ...sorted.filter(isLongest),
      ...sorted.filter((file) => !isLongest(file) && !isUnit(file)),
      ...sorted.filter(isUnit),
    ];
  }
}

export default defineConfig({
  test: {
    // Runners, drivers and daemons are started from dist.
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    // Most of the time a test waits for a daemon, for Puppet or for etcd: two cores serve three files.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // For what hangs. How long something takes is asserted nowhere: three files and their daemons share two cores.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['spec/unit/**/*.test.ts'],
          isolate: false,
          setupFiles: ['spec/support/nothing-outside.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'real', include: ['spec/{integration,puppet,e2e,faults,hostile}/**/*.test.ts'] },
      },
    ],
  },
});
