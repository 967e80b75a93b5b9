import { describe, expect, it } from 'vitest';
import { readPsych } from '../../../src/plugin/puppet/psych.ts';

describe('YAML of Ruby', () => {
  it('YAML of Ruby keeps the empty lines at the end of a text that ends with several', () => {
    expect(readPsych(['---', '- |+', '  a', '', '', '- b'])).toEqual(['a\n\n\n', 'b']);
  });

  it('YAML of Ruby may have tags and anchors, which mean nothing here', () => {
    const lines = ['--- !ruby/object:A', 'a: &1 !ruby/sym x', 'b: *1', 'c:', '- !ruby/object:B', '  d: 1'];
    expect(readPsych(lines)).toEqual({ a: 'x', b: null, c: [{ d: 1 }] });
  });

  it.each(['', '---', '- - - -', '? ', 'a: [', 'a: "b', ': ', '\u0000', '__proto__: x'])(
    'text that is no YAML of Ruby parses without harm: %j',
    (text) => {
      expect(() => readPsych(text.split('\n'))).not.toThrow();
      expect({}).not.toHaveProperty('0');
    },
  );

  /** `? ? ? …` of 16 KiB keeps a parser of the whole language busy for minutes; a hang ends this test with its timeout. */
  it.each(['? ', '- ', '[', '{a: ', 'a: &a *a\n', '? a\n: b\n', '"', "'a\n", ' \n', 'a:\n a:\n  a:\n', '&a !b '])(
    'YAML of Ruby of a million characters is parsed at once: %j',
    (piece) => {
      expect(() => readPsych(piece.repeat(1_000_000 / piece.length).split('\n'))).not.toThrow();
    },
  );

  it('YAML of Ruby is not parsed deeper than any report is nested', () => {
    const deep = Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:`);
    expect(JSON.stringify(readPsych([...deep, 'b: 1']))).toMatch(
      /^(\{"a":){17}null\},?.*"b":1\}$|^(\{"a":)+null\}+,"b":1\}$/,
    );
  });
});
