import { TriggerdError } from './errors.ts';

/** What may be a node's name. Host names, so that a name is never a path or a shell word. */
const nodeNamePattern =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const pluginSegmentPattern = /^[A-Za-z0-9_.-]+$/;
const registryNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this pattern refuses
const controlCharacters = /[\u0000-\u001f\u007f]/;

export const isNodeName = (value: string): boolean => nodeNamePattern.test(value);

/** Lower-cases and checks a node name. Throws `node-name-invalid`. */
export const parseNodeName = (value: string): string => {
  const name = value.toLowerCase();
  if (!isNodeName(name)) throw new TriggerdError('node-name-invalid', `“${printable(value)}” is not a node name`);
  return name;
};

export const isTriggerName = (value: string): boolean =>
  value.length >= 1 && value.length <= 255 && !controlCharacters.test(value);

/** Throws `trigger-name-invalid`. */
export const parseTriggerName = (value: string): string => {
  if (!isTriggerName(value))
    throw new TriggerdError('trigger-name-invalid', `“${printable(value)}” is not a trigger name`);
  return value;
};

/**
 * A plugin's name: its path below the plugins folder. Throws `plugin-name-invalid` for absolute paths, `..` and anything
 * but plain segments, so that a name from the wire can't point outside the folder.
 */
export const parsePluginName = (value: string): string => {
  if (!isPluginName(value))
    throw new TriggerdError('plugin-name-invalid', `“${printable(value)}” is not a plugin name`);
  return value;
};

export const isPluginName = (value: string): boolean =>
  value.length <= 255 &&
  value.split('/').every((segment) => pluginSegmentPattern.test(segment) && !/^\.+$/.test(segment));

/**
 * What teams, users, workers, services and trigger files may be called: never a path, an option or a hidden file, nor one
 * of the two words that no reader of JSON should have as a key.
 */
export const isRegistryName = (value: string): boolean =>
  registryNamePattern.test(value) && value !== 'constructor' && value !== 'prototype';

/** What something of a team is called in `own` team: things of other teams keep the name of theirs. */
export const nameSeenBy = (own: string, team: string, name: string): string =>
  team === own ? name : `${team}/${name}`;

/** A foreign text made safe for a message: control characters escaped, cut at 80 characters. */
export const printable = (text: string): string => {
  const cut = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
};
