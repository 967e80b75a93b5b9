/** `trigger queue --files`. */
import type { TriggerFileView } from '../../api/contract/trigger-files.ts';
import type { Canvas } from './firing.ts';
import { renderTable } from './table.ts';
import { age } from './time.ts';

export const renderTriggerFiles = (files: readonly TriggerFileView[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'TRIGGER FILE', cell: ({ path }) => path ?? '(gone)', shrinkTo: 16 },
      { title: 'WAITING', cell: ({ waiting }) => String(waiting) },
      { title: 'DEAD', cell: ({ dead }) => String(dead), paint: ({ dead }) => (dead > 0 ? 'red' : null) },
      { title: 'HITS', cell: ({ hits }) => String(hits) },
      { title: 'LAST', cell: ({ hit_at }) => age(hit_at, now) },
      { title: 'REASON', cell: ({ reason }) => reason ?? '', shrinkTo: 10 },
    ],
    files,
    columns,
    paint,
  );
