/** The settings of the console as options of a command: `timeout_ms` of a service is `--timeout 10s`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Given, type Settings, wordOf } from '../../console/settings.ts';
import { type Slot, slots } from '../../console/slots.ts';

/** Placeholder and meaning, by the option's name. */
const abouts: Readonly<Record<string, readonly [string, string]>> = {
  description: ['text', 'description for people'],
  algorithm: ['name', 'which workers get a request'],
  retry: ['when', 'whether another worker gets the request of a lost worker'],
  timeout: ['duration', 'maximum time of a request; none: the broker’s'],
  visibility: ['who', 'who can see and use the service'],
  plugin: ['plugin', 'plugin to run on the worker'],
  arg: ['name=value', 'argument of the plugin; repeatable'],
  framing: ['what', 'one request is a write, a line, or all bytes until close'],
  delivery: ['how', 'whether a write waits for the result'],
  durable: ['yes|no', 'whether a write returns only after it is on disk'],
  'max-message': ['size', 'maximum size of a request, such as 64KiB'],
  deadline: ['duration', 'how long to retry an asynchronous message; none: the node’s [triggerfs] deadline'],
  partial: ['what', 'what to do with a message of a killed writer; none: drop it with framing close, else send it'],
  mode: ['mode', 'permission bits, such as 0644'],
  role: ['role', 'role in the team'],
};

export const addSettings = (command: Command, settings: Settings): Command => {
  for (const [key, name] of Object.entries(settings)) command.addOption(optionOf(key, slots[name]));
  return command;
};

/** What the options gave, as a statement has it. */
export const settingsOf = <Of extends Settings>(settings: Of, options: object): Given<Of> => {
  const given = options as Readonly<Record<string, unknown>>;
  const entries = Object.keys(settings).map((key) => [key, given[new Option(`--${nameOf(key)}`).attributeName()]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Given<Of>;
};

const nameOf = (key: string): string => (key === 'args' ? 'arg' : wordOf(key));

/** triggerFS says `-args` where other programs say `--arg`: both are right everywhere. */
const flagsOf = (key: string): string => (key === 'args' ? '--args, --arg' : `--${nameOf(key)}`);

const optionOf = (key: string, slot: Slot): Option => {
  const [placeholder, about] = abouts[nameOf(key)] ?? [slot.shown, ''];
  const option = new Option(`${flagsOf(key)} <${placeholder}>`, about);
  if (slot.choices !== undefined) option.choices(slot.choices);
  return option.argParser((text: string, before: unknown) => {
    const value = slot.read(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${slot.expected}.`);
    return slot === slots.pair ? { ...(before as object | undefined), ...(value as object) } : value;
  });
};
