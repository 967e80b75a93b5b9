import type { CatalogueEntry, TriggerdError } from '../domain/errors.ts';
import { errorCatalogue } from '../domain/errors.ts';

/** A failure as the user sees it on stderr. */
export const renderError = (error: TriggerdError, json: boolean): string => {
  const { code, message, remedy, details } = error;
  if (json) return `${JSON.stringify({ error: { code, message, remedy, details } })}\n`;
  return `trigger: ${message}\n  ${remedy}\n`;
};

export const exitCodeOfError = (error: TriggerdError): CatalogueEntry['exit'] => errorCatalogue[error.code].exit;
