import { type CatalogueEntry, errorCatalogue, type TriggerdError } from '../../domain/errors.ts';
import { jsonText } from '../../kit/json-text.ts';
import { terminalText } from '../../kit/terminal-filter.ts';

/** A failure as the user sees it on stderr. */
export const renderError = (error: TriggerdError, json: boolean): string => {
  const { code, message, remedy, details } = error;
  if (json) return `${jsonText({ error: { code, message, remedy, details } })}\n`;
  return terminalText(`trigger: ${message}\n  ${remedy}\n`);
};

export const exitCodeOfError = (error: TriggerdError): CatalogueEntry['exit'] => errorCatalogue[error.code].exit;
