import { describe, expect, it } from 'vitest';
import { renderHistory, renderRequest } from '../../../src/cli/render/history.ts';
import { renderRows, rowsOf } from '../../../src/console/tables.ts';
import type { RequestLeg, RequestRecord } from '../../../src/domain/request-record.ts';

const leg = (more: Partial<RequestLeg> = {}): RequestLeg => ({
  worker: 'demo01',
  node: 'web01',
  job_id: 7,
  result: 'failed',
  exit_code: 3,
  reason: null,
  ran_ms: 1234,
  output_bytes: 6,
  output_tail: 'one\ntwo\u001b[2J\n',
  ...more,
});
const record = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  id: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
  team: 'team1',
  user: 'hp',
  service: 'demoservice',
  service_team: 'team1',
  plugin: 'command/command',
  command: 'exit 3',
  received_at: '2026-11-20T12:00:00.000Z',
  finished_at: '2026-11-20T12:00:02.000Z',
  result: 'failed',
  exit_code: 3,
  reason: null,
  legs: [leg()],
  ...more,
});
const canvas = (columns: number | null) => ({
  columns,
  now: Date.parse('2026-11-20T12:03:00.000Z'),
  paint: (_: unknown, text: string): string => text,
});

describe('requests that have ended', () => {
  it('ended requests have a line each', () => {
    const lost = record({ result: 'lost', exit_code: null, legs: [leg(), leg({ worker: 'demo02' })] });
    expect(renderHistory([record(), lost], canvas(null)).split('\n')).toEqual([
      'REQUEST                     AGE  SERVICE      PLUGIN           WORKER         RESULT  EXIT',
      '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD  3m   demoservice  command/command  demo01         failed  3',
      '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD  3m   demoservice  command/command  demo01,demo02  lost',
    ]);
  });

  it('ended requests name the team where a service and its workers belong to another one', () => {
    const foreign = record({ service: 's', service_team: 'evil', legs: [leg({ worker: 'w' })] });
    const own = record({ service: 's', legs: [leg({ worker: 'w' })] });
    const cells = (text: string): string[] =>
      text.split('\n').map((line) => line.trim().split(/ {2,}/).slice(2, 5).join(' '));
    expect(cells(renderHistory([foreign, own], canvas(null))).slice(1)).toEqual([
      'evil/s command/command evil/w',
      's command/command w',
    ]);
    expect(renderRequest(foreign)).toContain('Worker: evil/w on web01\n');
    expect(rowsOf({ kind: 'history', rows: [foreign, own], notices: [] })).toMatchObject([
      { service: 'evil/s', service_team: 'evil', workers: ['evil/w'] },
      { service: 's', service_team: 'team1', workers: ['w'] },
    ]);
  });

  it('ended requests fit 80 columns', () => {
    const long = record({ service: 's'.repeat(60), plugin: 'p'.repeat(60), legs: [leg({ worker: 'w'.repeat(60) })] });
    for (const line of renderHistory([long], canvas(80)).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('ended requests have a page each, with the end of every worker’s output', () => {
    const lost = leg({ worker: 'demo02', node: null, job_id: null, result: 'lost', exit_code: null, ran_ms: null });
    const page = renderRequest(record({ legs: [leg(), { ...lost, reason: 'gone', output_tail: '' }] }));
    expect(page).toContain('Service:  team1/demoservice\n');
    expect(page).toContain('User:     hp@team1\n');
    expect(page).toContain('Result:   failed, exit 3\n');
    expect(page).toContain('Worker: demo01 on web01\nJob:    7\n');
    expect(page).toContain('  one\n  two\\e[2J\n\nWorker: demo02\nResult: lost, gone\n');
  });

  it('ended requests are a table of the console', () => {
    const rows = rowsOf({ kind: 'history', rows: [record(), {}], notices: [] });
    const lines = renderRows('history', rows, { single: false, columns: null }).split('\n');
    expect(lines[0]?.split('|').map((title) => title.trim())).toEqual([
      'received',
      'id',
      'user',
      'service',
      'plugin',
      'command',
      'workers',
      'result',
      'exit_code',
    ]);
    expect(lines[2]).toContain('| exit 3  | demo01  | failed |         3');
  });
});
