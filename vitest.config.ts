import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const rubyOptions = '--disable=did_you_mean,error_highlight';
/** What stands here is each project's own, and would win over the command line. */
const isNumberAsked = process.argv.some((word) => /^--max-?workers/i.test(word));
const compileCache = join(import.meta.dirname, 'node_modules/.cache/node-compile');

/**
 * The files that take longest, longest first: a checkout that has never run them begins with these, and no core is left waiting
 * for one of them in the end. After a run vitest's own cache of durations decides.
 */
const longest = [
  'puppet/rspec',
  'hostile/reports',
  'integration/doctor/doctor',
  'e2e/outcomes',
  'hostile/registry',
  'e2e/queue',
  'faults/crash',
  'e2e/why',
  'e2e/spool',
  'hostile/doors',
  'faults/resources',
  'e2e/cancel',
  'hostile/one-name',
  'e2e/mount-daemon',
  'e2e/lifecycle',
  'e2e/events',
].map((name) => `spec/${name}.test.ts`);

/** The long ones, the others as vitest has them (by their last durations), and unit tests to fill what is left. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.endsWith(name));
      return project.name === 'unit' ? longest.length + 1 : place === -1 ? longest.length : place;
    };
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    // Runners, drivers and daemons are started from dist.
    globalSetup: ['spec/support/build.ts'],
    pool: 'forks',
    // Half of the time a test waits: for a lease, a timer, the end of a process. Two cores serve three files.
    ...(isNumberAsked ? {} : { maxWorkers: 3 }),
    sequence: { sequencer: LongestFirst },
    // One process serves file after file: what they import is read once.
    isolate: false,
    setupFiles: ['spec/support/leave-nothing.ts'],
    // Ruby without what only words its own errors; Node.js 22 and newer keep what they have compiled.
    env: { RUBYOPT: rubyOptions, NODE_COMPILE_CACHE: compileCache },
    // For what hangs. How long something takes is asserted nowhere: three files and their daemons share two cores.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['spec/unit/**/*.test.ts'],
          setupFiles: ['spec/support/nothing-outside.ts', 'spec/support/no-timers.ts'],
        },
      },
      {
        extends: true,
        // What fails once and then not, as when the whole machine stood still, is named as tried again, and no failure.
        test: {
          name: 'real',
          include: ['spec/{integration,puppet,e2e,faults,hostile}/**/*.test.ts'],
          globalSetup: ['spec/support/puppet/server.ts'],
          retry: 1,
        },
      },
    ],
  },
});
