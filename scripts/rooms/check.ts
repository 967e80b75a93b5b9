/** Fails where the code has an arrow between rooms that `rooms.ts` does not have, or a circle. */
import { importsBelow } from './imports.ts';
import { problemsOf } from './problems.ts';
import { rooms } from './rooms.ts';

const problems = problemsOf(rooms, importsBelow(new URL('../../src', import.meta.url).pathname));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error('The arrows between rooms are declared in scripts/rooms/rooms.ts.');
  process.exitCode = 1;
}
