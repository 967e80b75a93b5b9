import { expect, it, onTestFinished } from 'vitest';
import { daemonClient } from '../../../src/cli/support/http-client.ts';
import { startStubDaemon, takenOver } from '../../support/stub-daemon.ts';

const never = new AbortController().signal;

it('a daemon that accepts a request and never answers is not reported as stopped', async () => {
  const daemon = await startStubDaemon({ 'GET /v1/nodes': () => takenOver });
  onTestFinished(() => daemon.close());
  const asked = daemonClient(async () => daemon.socket, never, 100).request('/v1/nodes');
  await expect(asked).rejects.toMatchObject({
    code: 'daemon-silent',
    retryable: true,
    message: `the daemon on ${daemon.socket} did not answer within 100ms`,
    remedy: expect.not.stringContaining('Start triggerd'),
  });
});
