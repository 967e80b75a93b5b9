import type { TriggerFileView } from '../../api/contract/trigger-files.ts';
import type { TriggerFileService } from '../../api/services/services.ts';
import { newRequestId } from '../../client/new-id.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import type { MessageSpool } from '../../mount/delivery-ports.ts';
import { SpoolClock } from '../../mount/spool-clock.ts';
import { Tree } from '../../mount/tree.ts';
import { clock } from '../clock.ts';
import type { Runtime } from '../compose/runtime.ts';

/** What became of what was written to the trigger files of this node. All throw `journal-failed`. */
export const triggerFiles = ({
  journal,
  config,
  mount,
}: Pick<Runtime, 'journal' | 'config' | 'mount'>): TriggerFileService => {
  const { team } = config.main;
  if (team === undefined) return noTriggerFiles;
  const spool = journal.fileMessages(team);
  const definitionAt = (path: string | undefined): number | undefined =>
    path === undefined ? undefined : namedIn(filesOf(spool), path);
  return {
    list: () => filesOf(spool).map(({ view }) => view),
    replay: (path) => {
      const definition = definitionAt(path);
      // Without a mount they wait until there is one.
      if (mount !== undefined) return mount.revive(definition);
      return spool.revive(definition, newRequestId, new SpoolClock(spool, clock).now()).length;
    },
    purge: (path) => spool.purge(definitionAt(path)),
  };
};

export const noTriggerFiles: TriggerFileService = { list: () => [], replay: () => 0, purge: () => 0 };

interface TriggerFile {
  readonly definition: number;
  readonly view: TriggerFileView;
}

const filesOf = (spool: MessageSpool): TriggerFile[] => {
  const saved = spool.savedTree();
  const tree = saved === undefined ? undefined : new Tree(saved);
  return [...spool.counts()].map(([definition, { hits, hitAt, waiting, dead, reason }]) => ({
    definition,
    view: {
      path: tree?.pathOf(definition) ?? null,
      ...{ hits, waiting, dead, reason },
      hit_at: new Date(hitAt).toISOString(),
    },
  }));
};

const namedIn = (files: readonly TriggerFile[], path: string): number => {
  const found = files.find(({ view }) => view.path === path);
  if (found === undefined)
    throw new TriggerdError('trigger-file-not-found', `nothing was written to “${printable(path)}” on this node`);
  return found.definition;
};
