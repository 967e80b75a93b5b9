import type { ConsoleRequest } from '../../console/form.ts';
import type { RequestStatement } from '../../domain/live-request.ts';
import type { Answer, Statement } from '../../registry/statements.ts';

/** Where the console's statements go. */
export interface ConsoleLink {
  /** The team whose things are meant. Throws `team-missing`. */
  team(): Promise<string>;
  /** Throws `registry-…`. */
  execute(statement: Statement | RequestStatement): Promise<Answer>;
  /** Asks a service and prints what comes back; gives the exit code. */
  request(request: ConsoleRequest): Promise<number>;
  close(): Promise<void>;
}

/** Nobody can be asked, for this cause: that ends a script, whatever was to be gone on with. */
export class NoLink extends Error {
  override readonly name = 'NoLink';
}
