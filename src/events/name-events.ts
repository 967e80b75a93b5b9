import type { Holder, MachineName } from '../fleet/names/holder.ts';
import type { NameHappening } from '../fleet/names/ports.ts';
import type { Facts, HolderFacts } from './event.ts';

/** What happened to a name of this node. */
export const nameFacts = (happened: NameHappening): Facts =>
  happened.kind === 'node.refused'
    ? refusedFacts(happened.refused, happened.holder)
    : takenOverFacts(happened.holder, happened.from);

export const refusedFacts = (refused: Holder, holder: Holder | null): Facts => ({
  kind: 'node.refused',
  refused: factsOf(refused),
  holder: holder === null ? null : factsOf(holder),
});

export const takenOverFacts = (holder: Holder, from: MachineName): Facts => ({
  kind: 'node.taken-over',
  holder: factsOf(holder),
  from,
});

const factsOf = ({ instance, host, address, pid, machine, boot, version }: Holder): HolderFacts => ({
  instance,
  host,
  address,
  pid,
  machine,
  boot,
  version,
});
