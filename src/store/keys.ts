import type { KeyStore } from './key-store.ts';

/** Where things are in etcd: the layout of `docs/reference/keyspace.md` below one prefix. Names ending in `s` are prefixes. */
export interface Keys {
  /** Everything. */
  readonly all: string;
  readonly firings: string;
  firing(id: string): string;
  /** The whole document of a firing whose own key has no list of targets. */
  targets(id: string): string;
  readonly publications: string;
  publishing(id: string): string;
  readonly allInboxes: string;
  inboxes(node: string): string;
  inbox(node: string, id: string): string;
  readonly allOutcomes: string;
  outcomes(id: string): string;
  outcome(id: string, node: string): string;
  readonly nodes: string;
  node(node: string): string;
  /** Who holds which name, and who else asks for it. */
  readonly names: string;
  /** The process that holds this node's name, for a while after its end, too. */
  holder(node: string): string;
  /** Leased: processes that ask for the name of this node while another one has it. */
  rivals(node: string): string;
  readonly members: string;
  member(node: string): string;
  /** Pages of requests that have ended, of all teams. */
  readonly histories: string;
  /** The key that the winner of this election holds. */
  election(name: string): string;
}

export const keysBelow = (prefix: string): Keys => {
  const base = `${prefix.replace(/\/+$/, '')}/v1`;
  return {
    all: `${base}/`,
    firings: `${base}/firings/`,
    firing: (id) => `${base}/firings/${id}`,
    targets: (id) => `${base}/targets/${id}`,
    publications: `${base}/publishing/`,
    publishing: (id) => `${base}/publishing/${id}`,
    allInboxes: `${base}/inbox/`,
    inboxes: (node) => `${base}/inbox/${node}/`,
    inbox: (node, id) => `${base}/inbox/${node}/${id}`,
    allOutcomes: `${base}/outcomes/`,
    outcomes: (id) => `${base}/outcomes/${id}/`,
    outcome: (id, node) => `${base}/outcomes/${id}/${node}`,
    nodes: `${base}/nodes/`,
    node: (node) => `${base}/nodes/${node}`,
    names: `${base}/names/`,
    holder: (node) => `${base}/names/${node}/holder`,
    rivals: (node) => `${base}/names/${node}/rivals/`,
    members: `${base}/members/`,
    member: (node) => `${base}/members/${node}`,
    histories: `${base}/history/`,
    election: (name) => `${base}/elections/${name}/holder`,
  };
};

/** What follows the last slash: the firing's id, or the node's name. */
export const lastSegment = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

/** A store, and the layout of the keys of this installation in it. */
export interface Keyspace {
  readonly store: KeyStore;
  readonly keys: Keys;
}
