const nothing = () => undefined;

export const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Nodes by their numbers: a process is told a range, ten thousand names are too many for an argument. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const nodeNames = ({ from, to }: Range): string[] =>
  Array.from({ length: to - from }, (_, index) => `node${from + index}.example.com`);

/** Monotonic, and the same in all processes of this machine. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
