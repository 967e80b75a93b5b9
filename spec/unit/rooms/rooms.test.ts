import { describe, expect, it } from 'vitest';
import page from '../../../docs/explanation/architecture.md?raw';
import { withRooms } from '../../../scripts/rooms/draw.ts';
import { problemsOf } from '../../../scripts/rooms/problems.ts';
import { rooms } from '../../../scripts/rooms/rooms.ts';

const room = (...imports: string[]) => ({ is: 'a room', imports });
const declared = { kit: room(), domain: room('kit'), queue: room('domain') };

describe('the check of the arrows between rooms', () => {
  const used = [
    { from: 'domain/job.ts', to: 'kit/log.ts' },
    { from: 'queue/queues.ts', to: 'domain/job.ts' },
    { from: 'queue/queues.ts', to: 'queue/context.ts' },
  ];

  it('the check of the arrows between rooms accepts declared imports', () => {
    expect(problemsOf(declared, used)).toEqual([]);
  });

  it.each<[string, { from: string; to: string }[], string]>([
    [
      'an import that no arrow allows',
      [...used, { from: 'queue/add.ts', to: 'kit/log.ts' }],
      'src/queue/add.ts imports src/kit/log.ts: queue may not import kit',
    ],
    [
      'an import from a room that is not declared',
      [...used, { from: 'attic/old.ts', to: 'kit/log.ts' }],
      'src/attic/old.ts imports src/kit/log.ts: attic may not import kit',
    ],
    ['an arrow that nobody uses', used.slice(1), 'domain may import kit and does not: take the arrow away'],
    [
      'a circle of files in one room',
      [...used, { from: 'queue/context.ts', to: 'queue/add.ts' }, { from: 'queue/add.ts', to: 'queue/queues.ts' }],
      'a circle of files: queue/queues.ts → queue/context.ts → queue/add.ts → queue/queues.ts',
    ],
  ])('the check of the arrows between rooms names %s', (_what, imports, problem) => {
    expect(problemsOf(declared, imports)).toEqual([problem]);
  });

  it('the check of the arrows between rooms names an arrow that is declared upwards', () => {
    const [problem] = problemsOf({ kit: room('domain'), domain: room() }, [{ from: 'kit/a.ts', to: 'domain/b.ts' }]);
    expect(problem).toBe('kit imports domain, which stands above it or nowhere');
  });
});

it('the architecture page has the declared rooms (otherwise: npm run docs)', () => {
  expect(withRooms(page, rooms)).toBe(page);
});
