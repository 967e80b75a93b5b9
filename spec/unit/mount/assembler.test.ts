import { describe, expect, it } from 'vitest';
import { Assembler, type StreamFraming } from '../../../src/mount/assembler.ts';
import { MemoryBudget } from '../../../src/mount/memory-budget.ts';
import { announced } from '../../support/random.ts';

const fullBytes = 100;
const maxMessage = 250;

const assembling = (framing: StreamFraming, budget = new MemoryBudget(1_000)) => {
  const assembler = new Assembler(framing, maxMessage, budget);
  const take = (step: ReturnType<Assembler['end']>): string[] => {
    step.commit();
    return step.messages.map(String);
  };
  return {
    budget,
    /** As the kernel does: cut into pieces; the first error ends the call. */
    write: (text: string): string[] => {
      const bytes = Buffer.from(text);
      const messages: string[] = [];
      for (let at = 0; at < bytes.length; at += fullBytes) {
        const piece = bytes.subarray(at, at + fullBytes);
        messages.push(...take(assembler.add({ bytes: piece, isFull: piece.length === fullBytes, offset: 0 })));
      }
      return messages;
    },
    end: () => take(assembler.end()),
    add: (text: string) => assembler.add({ bytes: Buffer.from(text), isFull: false, offset: 0 }),
  };
};

describe('framing “write”', () => {
  it('framing “write” makes a message of each call, however many pieces it arrives in', () => {
    const { write, end } = assembling('write');
    expect(write('uptime\n')).toEqual(['uptime\n']);
    expect(write('x'.repeat(230))).toEqual(['x'.repeat(230)]);
    expect(write('somedata 31F;10°;3.2\n')).toEqual(['somedata 31F;10°;3.2\n']);
    expect(end()).toEqual([]);
  });

  it('framing “write” keeps a call of full pieces until its end is known', () => {
    const { write, end } = assembling('write');
    expect(write('x'.repeat(200))).toEqual([]);
    expect(end()).toEqual(['x'.repeat(200)]);
    expect(end()).toEqual([]);
  });

  it('framing “write” takes a message of exactly the limit, and refuses one more byte without sending any', () => {
    const { write, end, budget } = assembling('write');
    expect(write('x'.repeat(250))).toEqual(['x'.repeat(250)]);
    expect(() => write('x'.repeat(251))).toThrow('EFBIG');
    expect(budget.held).toBe(0);
    // The writer was told of 200 bytes, and tries the rest: that is no message.
    expect(() => write('x'.repeat(51))).toThrow('EFBIG');
    expect(write('next')).toEqual(['next']);
    expect(end()).toEqual([]);
  });
});

describe('framing “line”', () => {
  it('framing “line” makes a message of each line, and of the rest at the end', () => {
    const { write, end } = assembling('line');
    expect(write('one\ntwo\nthr')).toEqual(['one\n', 'two\n']);
    expect(write('ee')).toEqual([]);
    expect(write('\n\nfour')).toEqual(['three\n', '\n']);
    expect(end()).toEqual(['four']);
  });

  it('framing “line” refuses a write whose line is too long, with the earlier part of that line', () => {
    const { write, end, budget } = assembling('line');
    for (let i = 0; i < 3; i++) write('x'.repeat(80));
    expect(() => write('x'.repeat(80))).toThrow('EFBIG');
    expect(budget.held).toBe(0);
    expect(write('next\n')).toEqual(['next\n']);
    expect(end()).toEqual([]);
  });
});

describe('a write that is refused', () => {
  it('a refused write leaves everything as it was when it is not committed', () => {
    const { write, add, end } = assembling('line');
    write('un');
    expect(add('finished\nmore').messages.map(String)).toEqual(['unfinished\n']);
    expect(write('finished\n')).toEqual(['unfinished\n']);
    expect(end()).toEqual([]);
  });

  it('a refused write counts what other files hold against the limit', () => {
    const budget = new MemoryBudget(300);
    const one = assembling('line', budget);
    const other = assembling('line', budget);
    one.write('x'.repeat(240));
    expect(() => other.write('y'.repeat(61))).toThrow('ENOSPC');
    expect(one.end()).toEqual(['x'.repeat(240)]);
    other.write('y'.repeat(61));
    expect(other.end()).toEqual(['y'.repeat(61)]);
    expect(budget.held).toBe(0);
  });
});

it('framing loses no byte and adds none, however a text is cut into writes', () => {
  const random = announced('assembler');
  for (let round = 0; round < 200; round++) {
    const framing = random.pick<StreamFraming>(['write', 'line']);
    const { write, end, budget } = assembling(framing);
    const lines = Array.from({ length: 20 }, () => `${'°x'.repeat(random.between(0, 30))}\n`);
    const messages = lines.flatMap((line) => {
      const cut = random.between(0, line.length);
      return framing === 'line' ? [...write(line.slice(0, cut)), ...write(line.slice(cut))] : write(line);
    });
    expect([...messages, ...end()].join(''), `seed ${random.seed}`).toBe(lines.join(''));
    if (framing === 'line') expect(messages).toEqual(lines);
    expect(budget.held).toBe(0);
  }
});
