/**
 * Streams of requests while things break, and what holds whatever breaks: every request ends, with an answer or with a
 * reason why there is none; an answer stands for one run, and nothing runs twice.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { writePlugin } from './requests.ts';
import { password, type ServicesSite } from './services-site.ts';

export interface Told {
  readonly key: string;
  /** `did KEY`, or the code of the refusal. */
  readonly outcome: string;
  /** What a refusal says. */
  readonly why?: string;
}

/** Requests at a time. */
export const lanes = 16;

/** A plugin that writes down that it begins, before anything can go wrong. In `<folder>/plugins`. */
export const writeRecordPlugin = (folder: string): void =>
  writePlugin(folder, 'record', `read key; echo "$key" >> ${folder}/runs; sleep 0.1; echo "did $key"`);

export const runsOf = (folder: string, key: string): number => {
  const file = join(folder, 'runs');
  const runs = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return runs.filter((each) => each === key).length;
};

export const connectTo = ({ brokers }: Pick<ServicesSite, 'brokers'>): Promise<Client> =>
  Client.connect({ brokers, team: 'team1', identity: 'hp', secret: password });

export const ask = async (client: Client, service: string, key: string): Promise<Told> => {
  const texts: string[] = [];
  try {
    const asked = client.request({ service, plugin: 'record', payload: `${key}\n` });
    for await (const { line } of asked.lines) texts.push(line);
    await asked.result;
    return { key, outcome: texts.join('\n') };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return { key, outcome: code ?? String(error), why: message };
  }
};

/** Requests with these keys; `meanwhile` happens when a third of them have ended. */
export const stream = async (
  client: Client,
  keys: readonly string[],
  meanwhile: () => Promise<unknown>,
): Promise<Told[]> => {
  const left = [...keys];
  const told: Told[] = [];
  let happening: Promise<unknown> | undefined;
  const lane = async (): Promise<void> => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) {
      told.push(await ask(client, 'pool', key));
      if (told.length >= keys.length / 3) happening ??= meanwhile();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await happening;
  return told;
};

/** Gives what was lost. */
export const checkTold = (folder: string, told: readonly Told[], keys: readonly string[]): Told[] => {
  expect(told.map(({ key }) => key).sort()).toEqual([...keys].sort());
  const lost: Told[] = [];
  for (const each of told) {
    const { key, outcome } = each;
    const runs = runsOf(folder, key);
    if (outcome === `did ${key}`) expect([key, runs]).toEqual([key, 1]);
    else {
      expect([key, outcome, runs > 1]).toEqual([key, 'worker-lost', false]);
      lost.push(each);
    }
  }
  return lost;
};

export const keysOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${name}-${number}`);
