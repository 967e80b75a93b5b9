import { isFinal, type Outcome, type Stage } from '../../domain/outcome.ts';

/** What the journal remembers of a published outcome: `<stage>/<attempt>`. */
export const markOf = ({ stage, attempt }: Outcome): string => `${stage}/${attempt}`;

/** Whether such a mark says that etcd has the firing's end. */
export const isPublishedFinal = (published: string | null): boolean =>
  published !== null && isFinal(published.split('/')[0] as Stage);
