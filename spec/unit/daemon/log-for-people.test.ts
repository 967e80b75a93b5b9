import { expect, it } from 'vitest';
import { forPeople } from '../../../src/adapters/log/log.ts';

const line = (message: string, facts: object = {}): string =>
  `${JSON.stringify({ level: 40, time: 1_795_000_000_000, node: 'lb01', msg: message, ...facts })}\n`;

it.each([true, false])(
  'a log line for people drives no terminal and forges no other line (on a terminal: %s)',
  (isTerminal) => {
    const shown = forPeople(isTerminal)(
      line('evil/s said \u001b]52;c;eA==\u0007\nERROR: forged \u202e\u009b2J', {
        reason: '\u001b[2J\u009d0;x\u009c',
        list: ['\u202e'],
      }),
    );
    expect(shown).toContain('evil/s said \\e]52;c;eA==\\u{7}\\nERROR: forged \\u{202e}\\u{9b}2J');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what may stay
    expect(shown.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  },
);
