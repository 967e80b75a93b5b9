/** Where the registry is in etcd: `docs/reference/keyspace.md`. Names ending in `s` are prefixes. */
export interface RegistryKeys {
  /** Everything that the mirror watches. */
  readonly all: string;
  readonly installation: string;
  issuer(kid: string): string;
  /** Changes with every change of teams and users. Not below `guards/`, so no team can be called as it. */
  readonly guard: string;
  /** Changes with everything that changes inside the team. */
  teamGuard(team: string): string;
  team(team: string): string;
  user(identity: string): string;
  worker(team: string, identity: string): string;
  service(team: string, name: string): string;
  node(team: string, parent: number, name: string): string;
  hits(team: string, definition: number, node: string): string;
  allHits(team: string, definition?: number): string;
  /** All that is inside the team, but for its hits. */
  holdings(team: string): readonly string[];
  /** Leased, one per broker: the workers that it has. Not in `all`: it changes often. */
  readonly onlines: string;
  /** Pages of requests that have ended. Not in `all`. */
  histories(team: string): string;
}

export const registryKeysBelow = (prefix: string): RegistryKeys => {
  const base = `${prefix.replace(/\/+$/, '')}/v1`;
  const all = `${base}/registry/`;
  return {
    all,
    installation: `${all}installation`,
    issuer: (kid) => `${all}issuers/${kid}`,
    guard: `${all}guard`,
    teamGuard: (team) => `${all}guards/${team}`,
    team: (team) => `${all}teams/${team}`,
    user: (identity) => `${all}users/${identity}`,
    worker: (team, identity) => `${all}workers/${team}/${identity}`,
    service: (team, name) => `${all}services/${team}/${name}`,
    node: (team, parent, name) => `${all}tree/${team}/${parent}/${name}`,
    hits: (team, definition, node) => `${all}hits/${team}/${definition}/${node}`,
    allHits: (team, definition) => `${all}hits/${team}/${definition === undefined ? '' : `${definition}/`}`,
    holdings: (team) => ['workers', 'services', 'tree'].map((kind) => `${all}${kind}/${team}/`),
    onlines: `${base}/online/`,
    histories: (team) => `${base}/history/${team}/`,
  };
};
