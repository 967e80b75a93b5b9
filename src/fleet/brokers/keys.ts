/** What brokers have in etcd: `docs/reference/keyspace.md`. Names ending in `s` are prefixes. */
export interface BusKeys {
  /** Leased: the brokers that are up. */
  readonly brokers: string;
  broker(id: string): string;
  /** Leased, one per broker: the workers that it has. */
  online(broker: string): string;
  /** One page of requests of this team that have ended; its length in bytes is in the key, for the sweeper. */
  history(team: string, page: string, bytes: number): string;
}

export const busKeysBelow = (prefix: string): BusKeys => {
  const base = `${prefix.replace(/\/+$/, '')}/v1`;
  return {
    brokers: `${base}/brokers/`,
    broker: (id) => `${base}/brokers/${id}`,
    online: (broker) => `${base}/online/${broker}`,
    history: (team, page, bytes) => `${base}/history/${team}/${page}.${bytes}`,
  };
};
