import type { Client } from '../../client/client.ts';
import type { TreeChange } from '../../mount/ports.ts';

/** What of a connection a tree needs. */
export interface Asking {
  client(): Promise<Pick<Client, 'registry'>>;
}

/** Changes are always the user's own, over the bus: the broker decides what this user may do. */
export const executeOverBus = async (connection: Asking, team: string, change: TreeChange): Promise<void> => {
  const client = await connection.client();
  await client.registry({ ...change, team });
};
