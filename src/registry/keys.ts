export type RegistryKeys = Readonly<ReturnType<typeof registryKeysBelow>>;

/** Where the registry is in etcd: `docs/reference/keyspace.md`. Names ending in `s` are prefixes. */
export const registryKeysBelow = (prefix: string) => {
  const base = `${prefix.replace(/\/+$/, '')}/v1`;
  const all = `${base}/registry/`;
  return {
    /** Everything that the mirror watches. */
    all,
    installation: `${all}installation`,
    issuer: (kid: string) => `${all}issuers/${kid}`,
    /** Changes with every change of teams and users. Not below `guards/`, so no team can be called as it. */
    guard: `${all}guard`,
    /** Changes with everything that changes inside the team. */
    teamGuard: (team: string) => `${all}guards/${team}`,
    team: (team: string) => `${all}teams/${team}`,
    user: (identity: string) => `${all}users/${identity}`,
    worker: (team: string, identity: string) => `${all}workers/${team}/${identity}`,
    service: (team: string, name: string) => `${all}services/${team}/${name}`,
    node: (team: string, parent: number, name: string) => `${all}tree/${team}/${parent}/${name}`,
    hits: (team: string, definition: number, node: string) => `${all}hits/${team}/${definition}/${node}`,
    allHits: (team: string, definition?: number) =>
      `${all}hits/${team}/${definition === undefined ? '' : `${definition}/`}`,
    /** All that is inside the team, but for its hits. */
    holdings: (team: string) => ['workers', 'services', 'tree'].map((kind) => `${all}${kind}/${team}/`),
    /** Leased, one per broker: the workers that it has. Not in `all`: it changes often. */
    onlines: `${base}/online/`,
    /** Pages of requests that have ended. Not in `all`. */
    histories: (team: string) => `${base}/history/${team}/`,
  };
};
