import { constants } from 'node:os';

const numbers: Readonly<Record<string, number | undefined>> = constants.signals;

/** The number of a signal (`SIGKILL`: 9) on this system; undefined where it knows none of this name. */
export const signalNumber = (name: string): number | undefined => numbers[name];

/** What a shell says of a command that this signal has killed: 128 and its number; 128 alone for one that is not known. */
export const exitCodeOfSignal = (name: string): number => 128 + (signalNumber(name) ?? 0);
