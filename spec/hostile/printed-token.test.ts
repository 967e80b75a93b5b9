/** A token of `trigger login --print-token`, in the hands of somebody who has only that. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/node.ts';
import { mainSection, type ServicesSite, startSite } from '../support/services-site.ts';

describe('a token that was printed', () => {
  let site: ServicesSite;
  beforeAll(async () => {
    site = await startSite();
  });
  afterAll(() => site?.remove());

  const printToken = async (...flags: string[]) => {
    const { stdout } = await site.run('trigger', [
      'login',
      '--config',
      site.configFile,
      '--print-token',
      '--json',
      ...flags,
    ]);
    return JSON.parse(stdout) as { token: string; expires_at: string };
  };
  /** A console with the token alone. */
  const withToken = (token: string, statement: string, input = '') => {
    const file = `${site.configFile}.jwt`;
    writeFileSync(file, `${mainSection(site.brokers)}team = "team1"\njwt = "${token}"\n`, { mode: 0o600 });
    return execa(join(root, 'bin/triggerfs-cli'), ['-config', file, '-json', '-c', statement], {
      input,
      reject: false,
    });
  };
  const claimsOf = (token: string): Record<string, number> =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

  it('a printed token lives as long as requested, and at most 366 days', async () => {
    const lifeOf = ({ exp = 0, iat = 0 }: Record<string, number>) => exp - iat;
    expect(lifeOf(claimsOf((await printToken()).token))).toBe(15 * 60);
    expect(lifeOf(claimsOf((await printToken('--ttl', '30d')).token))).toBe(30 * 86_400);
    const { token, expires_at } = await printToken('--ttl', '10000d');
    expect(lifeOf(claimsOf(token))).toBe(366 * 86_400);
    expect(Date.parse(expires_at) / 1_000).toBeCloseTo(claimsOf(token)['exp'] ?? 0, -2);
    expect(await site.run('trigger', ['login', '--config', site.configFile])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--print-token'),
    });
  });

  it('a printed token works as [main] jwt, changes no users and teams, and ends with its user’s tokens', async () => {
    const { token } = await printToken('--ttl', '1h');
    expect(await withToken(token, 'set services name by-token')).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await withToken(token, 'show services')).stdout)).toMatchObject([{ name: 'by-token' }]);
    expect(await withToken(token, 'show users')).toMatchObject({ exitCode: 0 });

    // Its own password would do to take the account over; so would an account of somebody else.
    const denied = await Promise.all([
      withToken(token, 'set users hp description mine'),
      withToken(token, 'delete users hp'),
      withToken(token, 'set teams name others'),
      withToken(token, 'set teams team1 description ours'),
    ]);
    for (const { exitCode, stderr } of denied)
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('cannot change users and teams')]);
    expect(JSON.parse((await withToken(token, 'show users')).stdout)).toMatchObject([
      { identity: 'hp', description: '' },
    ]);

    const revoked = await site.brokers[0]?.node.trigger('user', 'revoke', 'hp');
    expect(revoked).toMatchObject({ exitCode: 0 });
    expect(await withToken(token, 'show services')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('token is not valid'),
    });
  });
});
