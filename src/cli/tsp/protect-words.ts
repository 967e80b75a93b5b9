const globalWithValue = ['--config', '--socket'];

/** Everything behind `tsp` is tsp's: for commander it stands behind `--`. `trigger tsp --help` is ours. */
export const protectTspWords = (args: readonly string[]): string[] => {
  let at = 0;
  while (args[at]?.startsWith('-')) at += globalWithValue.includes(args[at] ?? '') ? 2 : 1;
  return args[at] !== 'tsp' || args[at + 1] === '--help' ? [...args] : args.toSpliced(at + 1, 0, '--');
};
