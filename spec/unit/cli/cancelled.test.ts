import { expect, it } from 'vitest';
import { renderCancelled } from '../../../src/cli/commands/cancel.ts';

it('cancel says for every node what became of the firing', () => {
  const nothing = { result: null, reason: null };
  const text = renderCancelled({
    id: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    nodes: {
      lb01: { ...nothing, did: 'cancelled', stage: 'skipped', reason: 'cancelled by root@web01' },
      'lb02.example.com': { ...nothing, did: 'running', stage: 'running' },
      lb03: { ...nothing, did: 'kill-asked', stage: 'running' },
      lb04: { ...nothing, did: 'ended', stage: 'finished', result: 'succeeded' },
      lb05: { ...nothing, did: 'ended', stage: 'skipped', reason: 'expired\u001b[2J' },
    },
  });
  expect(text.split('\n')).toEqual([
    'lb01              cancelled',
    'lb02.example.com  running, left alone (--kill ends it)',
    'lb03              running, asked to end it',
    'lb04              had ended: finished succeeded',
    'lb05              had ended: skipped expired\\e[2J',
  ]);
});
