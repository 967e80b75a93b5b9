/** `trigger history`. */

import { nameSeenBy } from '../../domain/names.ts';
import type { RequestLeg, RequestRecord } from '../../domain/request-record.ts';
import { visible } from '../../kit/text.ts';
import { renderFacts } from './facts.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';
import { age, localTime, took } from './time.ts';

export const renderHistory = (records: readonly RequestRecord[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'REQUEST', cell: ({ id }) => id },
      { title: 'AGE', cell: ({ received_at }) => age(received_at, now) },
      { title: 'SERVICE', cell: serviceOf, shrinkTo: 8 },
      { title: 'PLUGIN', cell: ({ plugin }) => plugin, shrinkTo: 8 },
      { title: 'WORKER', cell: (record) => workersOf(record).join(','), shrinkTo: 8 },
      {
        title: 'RESULT',
        cell: ({ result }) => result,
        paint: ({ result }) => (result === 'succeeded' ? 'green' : 'red'),
      },
      { title: 'EXIT', cell: ({ exit_code }) => (exit_code === null ? '' : String(exit_code)) },
    ],
    records,
    columns,
    paint,
  );

const serviceOf = ({ team, service_team, service }: RequestRecord): string => nameSeenBy(team, service_team, service);

const workersOf = ({ team, service_team, legs }: RequestRecord): string[] =>
  legs.map(({ worker }) => nameSeenBy(team, service_team, worker));

/** All about one request. */
export const renderRequest = (record: RequestRecord): string =>
  [
    renderFacts([
      ['Request', record.id],
      ['Service', `${record.service_team}/${record.service}`],
      ['Plugin', record.plugin],
      ['Command', record.command === '' ? null : record.command],
      ['User', `${record.user}@${record.team}`],
      ['Through', record.through === undefined ? null : record.through.join(', ')],
      ['Received', localTime(record.received_at)],
      ['Finished', localTime(record.finished_at)],
      ['Result', endOf(record)],
    ]),
    ...record.legs.map((leg, at) => renderLeg(leg, workersOf(record)[at] ?? leg.worker)),
  ].join('\n\n');

const renderLeg = (leg: RequestLeg, worker: string): string => {
  const tail = leg.output_tail.replace(/\n$/, '');
  return [
    renderFacts([
      ['Worker', leg.node === null ? worker : `${worker} on ${leg.node}`],
      ['Job', leg.job_id === null ? null : String(leg.job_id)],
      ['Result', endOf(leg)],
      ['Ran', leg.ran_ms === null ? null : took(leg.ran_ms)],
      ['Output', `${leg.output_bytes} bytes`],
    ]),
    ...(tail === '' ? [] : tail.split('\n').map((line) => `  ${visible(line)}`)),
  ].join('\n');
};

const endOf = ({ result, exit_code, reason }: Pick<RequestLeg, 'result' | 'exit_code' | 'reason'>): string =>
  [result, exit_code === null ? '' : `exit ${exit_code}`, reason ?? ''].filter((part) => part !== '').join(', ');
