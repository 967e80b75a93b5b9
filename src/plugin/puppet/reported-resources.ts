/**
 * The resources of a Puppet report that changed or failed. `resource_statuses` holds every resource of the catalogue, one
 * block of lines each; only the blocks of those that changed or failed are parsed, and only so many of them.
 */
import type { Cause } from '../../domain/firing.ts';
import { fieldsOf, type PsychMapping, type PsychValue, readPsych } from './psych.ts';
import { shortReason } from './reported-error.ts';

export interface ReportedResources {
  /** At most 20; `changed` counts all. */
  readonly changed_resources: readonly Cause[];
  /** At most 20: those that failed, or failed to restart. `failed` and `failed_to_restart` count all. */
  readonly failed_resources: readonly Cause[];
}

const maxResources = 20;
/** Characters of one resource; the rest (such as a whole file in a property) is not read. */
const maxBlock = 65_536;

/** Takes the lines of a report in order. */
export const createResourceCollector = () => {
  const changed: Cause[] = [];
  const failed: Cause[] = [];
  let isInStatuses = false;
  let block: string[] = [];
  let length = 0;

  const closeBlock = (): void => {
    const kind = kindOf(block);
    const list = kind === 'failed' ? failed : changed;
    if (kind !== null && list.length < maxResources) list.push(...readResource(block, kind));
    block = [];
    length = 0;
  };

  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) {
        closeBlock();
        isInStatuses = line === 'resource_statuses:';
        return;
      }
      if (!isInStatuses) return;
      if (/^ {2}[^ :]/.test(line)) closeBlock();
      length += line.length + 1;
      if (length <= maxBlock) block.push(line);
    },
    end: (): ReportedResources => {
      closeBlock();
      return { changed_resources: changed, failed_resources: failed };
    },
  };
};

type Kind = 'changed' | 'failed';

const kindOf = (block: readonly string[]): Kind | null => {
  if (block.includes('    failed: true') || block.includes('    failed_to_restart: true')) return 'failed';
  return block.includes('    changed: true') ? 'changed' : null;
};

/** Empty for a block that is cut off or not understood; the counts include it. */
const readResource = (block: readonly string[], kind: Kind): Cause[] => {
  const status = fieldsOf(Object.values(fieldsOf(readPsych(block)))[0]);
  const resource = textOf(status['resource']);
  if (resource === null) return [];
  const events = [status['events']].flat().map(fieldsOf);
  const wanted = kind === 'failed' ? 'failure' : 'success';
  const event = events.find((each) => each['status'] === wanted) ?? ({} as PsychMapping);
  return [
    {
      resource,
      file: textOf(status['file']),
      line: typeof status['line'] === 'number' ? status['line'] : null,
      property: textOf(event['property']),
      message: textOf(event['message']),
    },
  ];
};

const textOf = (value: PsychValue | undefined): string | null =>
  typeof value === 'string' && value !== '' ? shortReason(value) : null;

/** How many resources Puppet would have changed, had they not been in noop. Takes the lines of a report in order. */
export const createPendingCounter = () => {
  let isInStatuses = false;
  let isPending = false;
  let pending = 0;
  return {
    add: (line: string): void => {
      if (/^\S/.test(line)) isInStatuses = line === 'resource_statuses:';
      if (/^ {0,2}[^ :]/.test(line)) isPending = false;
      if (!isInStatuses || isPending || line !== '      status: noop') return;
      isPending = true;
      pending += 1;
    },
    end: (): number => pending,
  };
};
