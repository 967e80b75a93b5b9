import type { Job } from '../../domain/job.ts';
import type { Explanation } from '../../firings/why/explain.ts';
import type { Owed, PuppetReport } from '../../firings/why/look-up.ts';

/** An explanation, by what was asked about. */
export type Explained = { readonly name: string; readonly explanation: Explanation } & (
  | { readonly kind: 'firing' }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'node'; readonly owed: Owed }
);

/** With the reports that PuppetDB has of its firings (the runs at their origins) and runs, by their ids. */
export type Why = Explained & { readonly reports: ReadonlyMap<string, PuppetReport> };
