import type { Config } from './schema.ts';

/** Where others reach the broker that this configuration makes. */
export const advertisedBroker = ({ advertise, listen }: NonNullable<Config['broker']>, node: string): string =>
  advertise ?? `tcp://${node}:${new URL(listen).port}`;
