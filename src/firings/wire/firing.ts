/** The firing and the inbox entry as `docs/reference/keyspace.md` has them ↔ the domain. */
import * as v from 'valibot';
import {
  type Cause,
  type ChainLink,
  type Firing,
  isFiringId,
  type Origin,
  type WholeFiring,
} from '../../domain/firing.ts';
import { isTriggerName } from '../../domain/names.ts';
import { counter, format, nodeName, orNull, parseDocument, text, timestamp } from '../../store/document.ts';

const maxTargets = 10_000;
const maxCauses = 20;
const maxChain = 64;
const maxTags = 1_000;

const firingId = v.pipe(v.string(), v.check(isFiringId, 'firing id'));
const triggerName = v.pipe(v.string(), v.check(isTriggerName, 'trigger name'));

const causeDocument = v.object({
  resource: text(4_096),
  file: orNull(text(4_096)),
  line: orNull(counter),
  property: orNull(text(1_024)),
  message: orNull(text(65_536)),
});

const originDocument = v.variant('kind', [
  v.object({
    kind: v.literal('puppet'),
    node: text(255),
    certname: orNull(text(255)),
    environment: orNull(text(255)),
    catalog_uuid: orNull(text(255)),
    transaction_uuid: orNull(text(255)),
    catalog_version: orNull(text(1_024)),
    resource: orNull(text(4_096)),
    causes: v.optional(v.pipe(v.array(causeDocument), v.maxLength(maxCauses)), []),
    causes_total: v.optional(counter, 0),
  }),
  v.object({ kind: v.literal('cli'), node: text(255), user: orNull(text(255)) }),
]);

const targetList = v.pipe(
  v.array(nodeName),
  v.minLength(1),
  v.maxLength(maxTargets),
  v.check((targets) => new Set(targets).size === targets.length, 'each target once'),
);

const facts = {
  id: firingId,
  trigger: triggerName,
  origin: originDocument,
  job: v.object({ plugin: orNull(text(255)), args: v.nullish(v.record(v.string(), v.string()), {}) }),
  noop: v.nullish(v.boolean(), false),
  tags: v.nullish(v.pipe(v.array(text(1_024)), v.maxLength(maxTags)), []),
  policy: v.nullish(v.record(v.string(), v.unknown()), {}),
  // −1: no hop was left; the target stops it and says so.
  ttl: v.pipe(v.number(), v.integer(), v.minValue(-1)),
  chain: v.nullish(
    v.pipe(v.array(v.object({ firing: firingId, node: nodeName, trigger: triggerName })), v.maxLength(maxChain)),
    [],
  ),
  created_at: timestamp,
  expires_at: orNull(timestamp),
  signature: v.optional(v.unknown(), null),
};

const wholeDocument = v.object({ ...facts, targets: targetList });
const briefDocument = v.object({ ...facts, targets: v.null(), targets_total: v.pipe(counter, v.minValue(1)) });
/** `targets` tells which of the two it is. */
const firingDocument = v.lazy((input) => (hasNullTargets(input) ? briefDocument : wholeDocument));
const hasNullTargets = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && 'targets' in input && input.targets === null;

const inboxDocument = v.object({ firing: firingId, kill: orNull(text(1_024)) });

type FactsDocument = Omit<v.InferOutput<typeof wholeDocument>, 'targets'>;
type OriginDocument = v.InferOutput<typeof originDocument>;

/** A firing as it is in etcd: with its targets, or without their list. Throws `firing-malformed`. */
export const parseFiring = (key: string, value: string): Firing => {
  const document = parseDocument(firingDocument, key, value);
  if (document.targets !== null) return toFiring(document);
  const { targets_total: targetsTotal, ...same } = document;
  return toFiring({ ...same, targetsTotal });
};

/** A firing as its publisher has written it. Throws `firing-malformed`. */
export const parseWholeFiring = (key: string, value: string): WholeFiring =>
  toFiring(parseDocument(wholeDocument, key, value));

const toFiring = <D extends FactsDocument>({ created_at, expires_at, origin, ...same }: D) => ({
  ...same,
  origin: toOrigin(origin),
  createdAt: created_at,
  expiresAt: expires_at,
  signature: same.signature ?? null,
});

const toOrigin = (document: OriginDocument): Origin => {
  if (document.kind === 'cli') return document;
  const { catalog_uuid, transaction_uuid, catalog_version, causes_total, ...same } = document;
  return {
    ...same,
    catalogUuid: catalog_uuid,
    transactionUuid: transaction_uuid,
    catalogVersion: catalog_version,
    causesTotal: causes_total,
  };
};

/** Always the same bytes for the same firing: a publisher recognises its own by them. */
export const serializeFiring = (firing: Firing): string =>
  JSON.stringify({
    format,
    id: firing.id,
    trigger: firing.trigger,
    origin: fromOrigin(firing.origin),
    targets: firing.targets,
    ...(firing.targets === null && { targets_total: firing.targetsTotal }),
    job: { plugin: firing.job.plugin, args: firing.job.args },
    noop: firing.noop,
    tags: firing.tags,
    policy: firing.policy,
    ttl: firing.ttl,
    chain: firing.chain.map(fromChainLink),
    created_at: firing.createdAt,
    expires_at: firing.expiresAt,
    signature: firing.signature ?? null,
  });

/**
 * A whole firing's document without the list of its targets: what each of them reads. Nobody compares these bytes, so it
 * matters not that another language may write them in another way; the whole document stays as it is.
 */
export const briefDocumentOf = (value: string, { targets }: WholeFiring): string =>
  JSON.stringify({ ...JSON.parse(value), targets: null, targets_total: targets.length });

const fromOrigin = (origin: Origin) =>
  origin.kind === 'cli'
    ? { kind: origin.kind, node: origin.node, user: origin.user }
    : {
        kind: origin.kind,
        node: origin.node,
        certname: origin.certname,
        environment: origin.environment,
        catalog_uuid: origin.catalogUuid,
        transaction_uuid: origin.transactionUuid,
        catalog_version: origin.catalogVersion,
        resource: origin.resource,
        causes: origin.causes.map(fromCause),
        causes_total: origin.causesTotal,
      };

const fromCause = ({ resource, file, line, property, message }: Cause) => ({ resource, file, line, property, message });
const fromChainLink = ({ firing, node, trigger }: ChainLink) => ({ firing, node, trigger });

export interface InboxEntry {
  /** The firing that is owed. */
  readonly firing: string;
  /** Set when somebody wants its job ended also where it runs: why. */
  readonly kill: string | null;
}

/** Throws `firing-malformed`. */
export const parseInboxEntry = (key: string, value: string): InboxEntry => {
  const { firing, kill } = parseDocument(inboxDocument, key, value);
  return { firing, kill };
};

/** The entry of a chunked publication, which is there before its firing is: a node need not look at once. */
export const serializeEarlyEntry = (firing: string, targets: number): string =>
  JSON.stringify({ format, firing, early: targets });

/** Of an entry whose firing is about to come: how many targets it has. Undefined for any other. */
export const targetsOfEarlyEntry = (value: string): number | undefined => {
  const [, targets] = /"early":(\d{1,9})\b/.exec(value) ?? [];
  return targets === undefined ? undefined : Number(targets);
};

/** Also the marker of a chunked publication. */
export const serializeInboxEntry = (firing: string, kill: string | null = null): string =>
  JSON.stringify(kill === null ? { format, firing } : { format, firing, kill });
