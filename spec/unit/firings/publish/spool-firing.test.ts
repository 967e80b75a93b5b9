import { describe, expect, it, vi } from 'vitest';
import { serveRoutes } from '../../../../src/adapters/http/serve-routes.ts';
import { controlRoutes } from '../../../../src/api/control-routes.ts';
import type { ApiServices, SpoolIntake } from '../../../../src/api/services/services.ts';
import { TriggerdError } from '../../../../src/domain/errors.ts';

const document = '{ "format": 1,\n  "id" : "ü" }';

const post = (spool: Partial<SpoolIntake>, payload: string | Buffer, query = '') =>
  serveRoutes(controlRoutes({ spool } as unknown as ApiServices), vi.fn()).inject({
    method: 'POST',
    url: `/v1/spool${query}`,
    headers: { 'content-type': 'application/json' },
    payload,
  });

describe('POST /v1/spool', () => {
  it('POST /v1/spool passes the bytes on unchanged', async () => {
    const store = vi.fn(async () => 'ID');
    const answer = await post({ store }, document);
    expect([answer.statusCode, answer.json()]).toEqual([202, { id: 'ID', stage: 'stored' }]);
    expect(store).toHaveBeenCalledWith(document);
  });

  it('POST /v1/spool answers when etcd has the firing, on request', async () => {
    const answer = await post({ publish: async () => 'ID' }, document, '?publish=1');
    expect([answer.statusCode, answer.json()]).toEqual([201, { id: 'ID', stage: 'owed' }]);
  });

  it('POST /v1/spool distinguishes what is only stored from what is refused', async () => {
    const details = { stage: 'stored', firing: 'ID' };
    const publish = vi.fn().mockRejectedValue(new TriggerdError('etcd-unreachable', 'away', { details }));
    const away = await post({ publish }, document, '?publish=1');
    expect([away.statusCode, away.json().error]).toMatchObject([503, { code: 'etcd-unreachable', details }]);
    const store = vi.fn().mockRejectedValue(new TriggerdError('spool-unusable', 'full'));
    expect((await post({ store }, document)).json().error).toMatchObject({ code: 'spool-unusable', details: {} });
  });

  it.each<[string, string | Buffer, string]>([
    ['bytes that are no text', Buffer.from([0x7b, 0xff]), ''],
    ['another query', document, '?publish=yes'],
    ['more than fits', `"${'x'.repeat(4 * 1024 * 1024)}"`, ''],
  ])('POST /v1/spool refuses %s', async (_what, payload, query) => {
    const store = vi.fn();
    const answer = await post({ store }, payload, query);
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'input-invalid']);
    expect(store).not.toHaveBeenCalled();
  });
});
