import { execa } from 'execa';

/** A network that only containers are on; this host has no address there. */
export interface Bridge {
  readonly name: string;
  remove(): Promise<void>;
}

let made = 0;

export const createBridge = async (): Promise<Bridge> => {
  // A network interface's name has 15 characters at most.
  made += 1;
  const name = `trg${process.pid}-${made}`;
  await execa('ip', ['link', 'add', name, 'type', 'bridge']);
  await execa('ip', ['link', 'set', name, 'up']);
  return { name, remove: async () => void (await execa('ip', ['link', 'delete', name])) };
};
