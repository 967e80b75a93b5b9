import type { ErrorCode, ErrorDetails } from '../../domain/errors.ts';

export interface ErrorView {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly details: ErrorDetails;
}
