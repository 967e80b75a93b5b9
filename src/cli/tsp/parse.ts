/** The command line of task-spooler 1.0.1: what `tsp` reads with getopt, options only before the command. */
export const actions = {
  l: 'list',
  C: 'clear',
  K: 'restart',
  h: 'help',
  V: 'version',
  t: 'tail',
  c: 'cat',
  o: 'output',
  p: 'pid',
  i: 'info',
  s: 'state',
  r: 'remove',
  w: 'wait',
  u: 'urgent',
  k: 'kill',
  S: 'slots',
  U: 'swap',
} as const;

export type Action = (typeof actions)[keyof typeof actions];

export interface TspLine {
  readonly action: Action | 'add';
  /** Of an action: its word. Undefined: the action chooses a job. */
  readonly value: string | undefined;
  readonly argv: readonly string[];
  readonly stores: boolean;
  readonly compresses: boolean;
  readonly mails: boolean;
  readonly background: boolean;
  readonly stderrApart: boolean;
  readonly failsWhenFull: boolean;
  readonly label: string | undefined;
  readonly slots: number;
  readonly needs: number | 'previous' | undefined;
}

/** Told to the user as it is, with exit code 255. */
export class TspRefusal extends Error {}

const withValue = 'rtcopwkusUiNLSD';
const choosesJob = 'tcopirwusk';
/** Actions that choose a job, or tell, without a value. */
const valueMayMiss = `${choosesJob}S`;

/** Throws `TspRefusal`. */
export const parseTsp = (words: readonly string[]): TspLine => {
  const { letters, argv } = split(words);
  const has = (letter: string): boolean => letters.some(([each]) => each === letter);
  const last = (letter: string): string | undefined => letters.findLast(([each]) => each === letter)?.[1];
  const asked = letters.findLast(([letter]) => letter in actions);
  const named = asked === undefined ? 'list' : actions[asked[0] as keyof typeof actions];
  const isAdd = argv.length > 0 && named === 'list';
  const stores = !has('n');
  if (has('m') && (!stores || has('g')))
    throw new TspRefusal('For e-mail, you should store the output (not through gzip)');
  return {
    action: isAdd ? 'add' : named,
    value: asked === undefined ? undefined : idUnlessNone(asked),
    argv,
    stores,
    compresses: has('g') && stores,
    mails: has('m'),
    background: !has('f'),
    stderrApart: has('E'),
    failsWhenFull: has('B'),
    label: last('L'),
    slots: Math.max(1, numberOf(last('N') ?? '1')),
    needs: needsOf(letters),
  };
};

type Letter = readonly [letter: string, value: string | undefined];

/** An id of -1 is as none. */
const idUnlessNone = ([letter, value]: Letter): string | undefined =>
  value !== undefined && choosesJob.includes(letter) && numberOf(value) === -1 ? undefined : value;

const needsOf = (letters: readonly Letter[]): TspLine['needs'] => {
  const last = letters.findLast(([letter]) => letter === 'd' || letter === 'D');
  if (last === undefined) return undefined;
  return last[0] === 'd' ? 'previous' : numberOf(last[1] ?? '');
};

/** As C's `atoi`. */
export const numberOf = (text: string): number => Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);

const split = (words: readonly string[]): { letters: Letter[]; argv: readonly string[] } => {
  const letters: Letter[] = [];
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return { letters, argv: words.slice(at + 1) };
    if (!/^-./.test(word)) break;
    at += cluster(word.slice(1), words[at + 1], letters);
  }
  return { letters, argv: words.slice(at) };
};

/** `-nf`, `-S2`, `-S 2`; how many of the following words it takes. */
const cluster = (text: string, next: string | undefined, letters: Letter[]): 0 | 1 => {
  for (const [at, letter] of [...text].entries()) {
    if (!`${Object.keys(actions).join('')}${withValue}gnfmBEd`.includes(letter))
      throw new TspRefusal(`Wrong option ${letter}.`);
    if (!withValue.includes(letter)) {
      letters.push([letter, undefined]);
      continue;
    }
    const attached = text.slice(at + 1);
    if (attached !== '') letters.push([letter, attached]);
    else if (next !== undefined) letters.push([letter, next]);
    else if (valueMayMiss.includes(letter)) letters.push([letter, undefined]);
    else throw new TspRefusal(`Option ${letter} missing argument.`);
    return attached === '' && next !== undefined ? 1 : 0;
  }
  return 0;
};
