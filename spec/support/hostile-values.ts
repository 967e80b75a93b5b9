import type { Random } from './random.ts';

/**
 * Values that a careless program takes for something else than they are. `dir` holds `root`, where a plugin may do its work, and
 * beside it what it must leave alone: see `layOut` in spec/hostile/plugin-arguments.test.ts.
 */
export const hostileValues = (random: Random, dir: string): string[] => [
  ...numbers,
  ...paths(dir),
  ...words,
  ...Array.from({ length: 10 }, () => noise(random)),
];

const numbers = [
  ...['0', '00', '01', '-0', '-1', '+1', ' 1', '1 ', '1\n', '\t1', '1.0', '1e9', '0x1', '0b1', '1_0', '١', '１', '½'],
  ...['2147483648', '4294967295', '4294967296', '4294967297', '9223372036854775808', '18446744073709551615'],
  ...['9'.repeat(400), 'NaN', 'Infinity', '-Infinity', 'true', 'null'],
];

const paths = (dir: string): string[] => [
  ...['..', '.', '/', '//', '', '/..', './x', `${dir}/root`, `${dir}/root/`, `${dir}/root/.`, `${dir}/root/..`],
  ...['secret', 'made', 'device', 'fifo', ''].flatMap((name) => [
    `${dir}/root/../outside/${name}`,
    `${dir}/root/./../outside/${name}`,
    `${dir}/root//..//outside/${name}`,
    `${dir}/root/out/${name}`,
    `${dir}/root/in/../../outside/${name}`,
    `${dir}/root/${name}`,
    `${dir}/outside/${name}`,
    `${dir}/rootless/${name}`,
    `/proc/self/root${dir}/outside/${name}`,
  ]),
  ...[`${dir}/root/link-to-secret`, `${dir}/root/link-to-device`, `${dir}/root/link-to-nothing`, `${dir}/root/loop`],
  ...[
    `${dir}/root/a\nb`,
    `${dir}/root/a\0../../outside/made`,
    `${dir}/root/${'x'.repeat(300)}`,
    `${dir}/root${'/x'.repeat(3000)}`,
  ],
  ...['/dev/stdin', '/proc/self/fd/0', '/proc/self/mem', `file://${dir}/outside/secret`],
];

const words = [
  ...[
    '-',
    '--',
    '-rf',
    '--help',
    '--version',
    '--root=/',
    '-e',
    '@/etc/passwd',
    '~root',
    '*',
    '?',
    '[a-z]*',
    '{a,b}',
    '%s%n%n',
    '\\',
    '\\0',
  ],
  ...[
    '$(touch made)',
    '`touch made`',
    '; touch made',
    '| touch made',
    '&& touch made',
    '\ntouch made\n',
    '"; touch made; "',
    "'; touch made; '",
  ],
  ...[
    '$HOME',
    `\${IFS}`,
    '\u001b[2J',
    '\u009b',
    '\u202e',
    '\ufeff',
    '\ud800',
    '\0',
    'a\0b',
    '\r\nx: y',
    'x'.repeat(5000),
    'ü'.repeat(3000),
  ],
  ...[
    '(a+)+$',
    '(((((x{1,250}){1,250}){1,250}){1,250}){1,250})',
    '[',
    '(',
    '\\1',
    '(.*)\\1{9}',
    'root:root',
    'root:',
    ':',
    '4294967296:4294967296',
    '0:0:0',
    '4755',
    '7777',
  ],
  ...[
    'poweroff.target',
    '../x',
    'a/b/../c',
    'a//b',
    'nginx.service\n',
    'TERM ',
    'term',
    'SIGTERM',
    '9',
    'TRUE',
    'false\n',
    'POST\n',
    'http://',
    'http:///x',
    'https://[',
    'http://u:p@h/',
  ],
];

const alphabet = [
  '/',
  '.',
  '-',
  ' ',
  '\n',
  "'",
  '"',
  '$',
  '`',
  '\\',
  '*',
  '0',
  '9',
  'a',
  'ü',
  '\u0007',
  '€',
  ':',
  '=',
  '%',
  '\t',
];

const noise = (random: Random): string =>
  Array.from({ length: random.between(0, 40) }, () => random.pick(alphabet)).join('');
