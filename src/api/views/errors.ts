import { asTriggerdError, errorCatalogue } from '../../domain/errors.ts';
import type { ErrorView } from '../contract/errors.ts';

export const errorView = (
  thrown: unknown,
): { readonly status: number; readonly body: { readonly error: ErrorView } } => {
  const error = asTriggerdError(thrown);
  const { code, message, remedy, details } = error;
  return { status: errorCatalogue[code].http, body: { error: { code, message, remedy, details } } };
};
