import { describe, expect, it } from 'vitest';
import { Document } from '../../../src/mount/document.ts';
import { FsError } from '../../../src/mount/errno.ts';
import { MemoryBudget } from '../../../src/mount/memory-budget.ts';
import { announced } from '../../support/random.ts';

const maxMessage = 250;

interface Writing {
  write(offset: number, text: string): string[];
  resize(size: number): void;
  end(): string[];
}

const writing = ({ isAppending = false, isTruncated = true, last = 0, limit = 1_000 } = {}) => {
  const budget = new MemoryBudget(limit);
  let lastSize = last;
  const document = new Document({ maxMessage, budget, isAppending, isTruncated, lastSize: () => lastSize });
  const take = (step: ReturnType<Document['end']>): string[] => {
    step.commit();
    return step.messages.map(String);
  };
  return {
    budget,
    document,
    write: (offset: number, text: string) => take(document.add({ bytes: Buffer.from(text), isFull: false, offset })),
    resize: (size: number) => document.resize(size),
    end: () => take(document.end()),
    answered: (size: number) => {
      lastSize = size;
    },
  };
};

describe('a document', () => {
  it('a document is what was written, wherever and in whatever order, with zeros between', () => {
    const { write, end, budget } = writing();
    write(0, 'one');
    write(6, 'two');
    write(1, 'NE');
    expect(budget.held).toBe(9);
    expect(end()).toEqual(['oNE\0\0\0two']);
    expect([end(), budget.held]).toEqual([[], 0]);
  });

  it('a document has the length that it was given: longer with zeros, shorter, and longer again without the old bytes', () => {
    const { write, resize, end } = writing();
    write(0, 'abcdef');
    resize(2);
    resize(4);
    expect(end()).toEqual(['ab\0\0']);
  });

  it('a document that was only made longer is zeros', () => {
    const { resize, end } = writing();
    resize(3);
    expect(end()).toEqual(['\0\0\0']);
  });

  it('a document that was appended to has no gap, wherever the kernel places the end of the file', () => {
    const { write, end } = writing({ isAppending: true, isTruncated: false, last: 100 });
    write(100, 'one ');
    write(104, 'two ');
    write(100, 'three');
    expect(end()).toEqual(['one two three']);
  });

  it('a document that follows one which a duplicate has ended begins there, or at 0', () => {
    const { write, resize, end } = writing();
    write(0, 'first');
    expect(end()).toEqual(['first']);
    write(5, 'second');
    resize(12);
    expect(end()).toEqual(['second\0']);
    write(0, 'third');
    expect(end()).toEqual(['third']);
  });
});

describe('what is refused', () => {
  it.each<[string, (writing: Writing) => void, string]>([
    ['more than the limit', ({ write }) => write(200, 'x'.repeat(51)), 'EFBIG'],
    ['one byte far away', ({ write }) => write(2 ** 40, 'x'), 'EFBIG'],
    ['a length above the limit', ({ resize }) => resize(251), 'EFBIG'],
    [
      'what was sent already',
      ({ write, end }) => {
        end();
        write(3, 'x');
      },
      'ESPIPE',
    ],
  ])('a refused %s leaves nothing to be sent, now and later', (_what, refused, errno) => {
    const one = writing();
    one.write(0, 'begun');
    expect(() => refused(one)).toThrow(errno);
    expect(one.budget.held).toBe(0);
    expect(() => one.write(0, 'x')).toThrow(errno);
    expect(() => one.resize(0)).toThrow(errno);
    expect(() => one.end()).toThrow(errno);
    expect(() => one.end()).toThrow(errno);
  });

  it('a document counts what other files hold against the limit, holes included', () => {
    const one = writing({ limit: 100 });
    one.write(0, 'x');
    expect(() => one.resize(101)).toThrow('ENOSPC');
    expect(() => one.end()).toThrow('ENOSPC');
    expect(one.budget.held).toBe(0);
  });

  it('a document of a killed writer is not sent', () => {
    const { document, write, end } = writing();
    write(0, 'half');
    document.refuse(new FsError('EIO', 'killed'));
    expect(() => end()).toThrow('EIO');
  });
});

describe('a file that was opened without being emptied', () => {
  it('a file opened without truncation may not keep bytes of the last answer, which are no part of a document', () => {
    const { write, end } = writing({ isTruncated: false, last: 10 });
    write(0, 'one');
    write(8, 'more');
    expect(() => end()).toThrow('ESPIPE');
  });

  it('a file opened without truncation may not keep bytes of an answer that arrived or was replaced meanwhile', () => {
    const { write, end, answered } = writing({ isTruncated: false, last: 0 });
    answered(10);
    write(5, 'more');
    answered(0);
    expect(() => end()).toThrow('ESPIPE');
  });

  it('a file opened without truncation is a document once all bytes are written, or cut off first', () => {
    const one = writing({ isTruncated: false, last: 10 });
    one.write(4, 'second');
    one.write(0, 'one ');
    expect(one.end()).toEqual(['one second']);
    const other = writing({ isTruncated: false, last: 10 });
    other.resize(0);
    other.write(4, 'second');
    expect(other.end()).toEqual(['\0\0\0\0second']);
  });

  it('a file opened without truncation may have gaps behind the last answer', () => {
    const { write, end } = writing({ isTruncated: false, last: 3 });
    write(0, 'one');
    write(5, 'two');
    expect(end()).toEqual(['one\0\0two']);
  });

  it('a file opened without truncation with too many gaps is refused, and never sent with zeros for the old bytes', () => {
    const document = new Document({
      ...{ maxMessage: 10_000, budget: new MemoryBudget(10_000), isAppending: false, isTruncated: false },
      lastSize: () => 10_000,
    });
    for (let at = 1; at < 5_000; at += 2) document.add({ bytes: Buffer.from('x'), isFull: false, offset: at }).commit();
    expect(() => document.end()).toThrow('ESPIPE');
  });
});

it('a document is always what a file on disk would be', () => {
  const random = announced('document');
  for (let round = 0; round < 300; round++) {
    const { write, resize, end, budget } = writing();
    let model = Buffer.alloc(0);
    const extend = (length: number): void => {
      model = Buffer.concat([model.subarray(0, length), Buffer.alloc(Math.max(0, length - model.length))]);
    };
    for (let step = 0; step < random.between(1, 12); step++) {
      if (random.between(0, 4) === 0) {
        const size = random.between(0, maxMessage);
        resize(size);
        extend(size);
      } else {
        const text = String.fromCharCode(random.between(97, 122)).repeat(random.between(1, 60));
        const at = random.between(0, maxMessage - text.length);
        write(at, text);
        extend(Math.max(model.length, at + text.length));
        model.write(text, at);
      }
      expect(budget.held, `seed ${random.seed}`).toBe(model.length);
    }
    expect(end().join(''), `seed ${random.seed}`).toBe(model.toString());
    expect(budget.held).toBe(0);
  }
});
