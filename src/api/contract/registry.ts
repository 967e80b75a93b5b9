import type { Statement } from '../../registry/statements.ts';

export interface RegistryBody {
  readonly statement: Statement;
}

export interface InitBody {
  readonly team: string;
  readonly identity: string;
  readonly secret: string;
}
