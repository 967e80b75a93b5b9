import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestChain } from '../../../src/cli/support/run-chain.ts';
import { temporaryFolder } from '../../support/journal.ts';

const contextFile = (document: object): string => {
  const file = join(temporaryFolder(), 'context.json');
  writeFileSync(file, JSON.stringify({ format: 1, chain: [], ttl: 3, ...document }));
  return file;
};
const ofRequest = { request: { id: 'r1', chain: ['r0', 'r1'] } };

describe('for whom a command asks from inside a job', () => {
  it('a command outside of jobs, and in the job of a firing, acts as the machine', () => {
    expect(requestChain({})).toEqual({});
    const chain = [{ firing: 'f1', node: 'n', trigger: 't' }];
    const env = { TRIGGERD_CONTEXT: contextFile({ chain }), TRIGGERD_ACTS_AS: 'machine' };
    expect(requestChain(env)).toEqual({ chain: ['f1'], ttl: 3 });
  });

  it('a command in the job of a request shows the request’s proof', () => {
    const proof = join(temporaryFolder(), 'proof');
    writeFileSync(proof, 'p1.a.b.c');
    const env = { TRIGGERD_CONTEXT: contextFile(ofRequest), TRIGGERD_ACTS_AS: 'asker', TRIGGERD_PROOF: proof };
    expect(requestChain(env)).toEqual({ chain: ['r0', 'r1'], ttl: 3, proof: 'p1.a.b.c' });
  });

  it('a command in a plugin that acts as the machine shows no proof', () => {
    const env = { TRIGGERD_CONTEXT: contextFile(ofRequest), TRIGGERD_ACTS_AS: 'machine' };
    expect(requestChain(env)).toEqual({ chain: ['r0', 'r1'], ttl: 3, own: true });
  });

  it.each([
    ['a job that an older daemon has started', () => ({ TRIGGERD_CONTEXT: contextFile(ofRequest) })],
    ['a broker that makes none', () => ({ TRIGGERD_CONTEXT: contextFile(ofRequest), TRIGGERD_ACTS_AS: 'asker' })],
    [
      'a file that is gone',
      () => ({ TRIGGERD_CONTEXT: contextFile(ofRequest), TRIGGERD_ACTS_AS: 'asker', TRIGGERD_PROOF: '/nowhere/proof' }),
    ],
    ['a process that does many jobs', () => ({ TRIGGERD_ACTS_AS: 'asker' })],
  ])('a command in a job without its proof sends no request: %s', (_, env) => {
    expect(() => requestChain(env())).toThrow(expect.objectContaining({ code: 'proof-missing' }));
  });
});
