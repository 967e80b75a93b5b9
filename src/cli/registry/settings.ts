/** The settings of the console as options of a command: `timeout_ms` of a service is `--timeout 10s`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Given, type Settings, wordOf } from '../../console/settings.ts';
import { type Slot, slots } from '../../console/slots.ts';

/** Placeholder and meaning, by the option's name. */
const abouts: Readonly<Record<string, readonly [string, string]>> = {
  description: ['text', 'what people should know about it'],
  algorithm: ['name', 'who of its workers gets a request'],
  retry: ['when', 'whether a request whose worker was lost goes to another one'],
  timeout: ['duration', 'how long a request may take; none: as the broker says'],
  visibility: ['who', 'who may see and use it'],
  plugin: ['plugin', 'what runs on the worker'],
  arg: ['name=value', 'an argument of the plugin; repeatable'],
  framing: ['what', 'what is one request: a write, a line, or all until the file is closed'],
  delivery: ['how', 'whether a write waits for the result'],
  durable: ['yes|no', 'whether a write is on disk before it is acknowledged'],
  'max-message': ['size', 'the largest request, such as 64KiB'],
  deadline: ['duration', 'how long an asynchronous write is tried; none: as the node says that it is written on'],
  partial: ['what', 'what to do with a message whose writer is killed; none: drop it with framing close, else send it'],
  mode: ['mode', 'permission bits, such as 0644'],
  role: ['role', 'in the team'],
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
