import { CommanderError } from 'commander';
import { asTriggerdError, type CatalogueEntry, errorCatalogue, TriggerdError } from '../../domain/errors.ts';
import { jsonText } from '../../kit/json-text.ts';
import { terminalText } from '../../kit/terminal-filter.ts';

/** What ended a command, as an error of ours: what commander did not understand is `usage`. */
export const commandLineError = (thrown: unknown): TriggerdError =>
  thrown instanceof CommanderError
    ? new TriggerdError('usage', thrown.message.replace(/^error: /, ''), { cause: thrown })
    : asTriggerdError(thrown);

/** A failure as the user sees it on stderr. */
export const renderError = (error: TriggerdError, json: boolean, program = 'trigger'): string => {
  const { code, message, remedy, details } = error;
  if (json) return `${jsonText({ error: { code, message, remedy, details } })}\n`;
  return terminalText(`${program}: ${message}\n  ${remedy}\n`);
};

export const exitCodeOfError = (error: TriggerdError): CatalogueEntry['exit'] => errorCatalogue[error.code].exit;
