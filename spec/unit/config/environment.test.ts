import { describe, expect, it } from 'vitest';
import { parse, refusal } from './parse.ts';

const withEnv = (env: Record<string, string>, text = '') => parse(text, { env }).config;

describe('the environment', () => {
  it('the environment overrides the file, and flags override both', () => {
    const text = '[node]\nsocket = "/file"\nstate_dir = "/file"\nname = "file"';
    const { config } = parse(text, {
      env: { TRIGGERD_NODE_SOCKET: '/env', TRIGGERD_NODE_STATE_DIR: '/env' },
      overrides: { 'node.socket': '/flag', 'node.name': undefined },
    });
    expect(config.node).toMatchObject({ socket: '/flag', state_dir: '/env', name: 'file' });
  });

  it('the environment has lists separated by commas, booleans and numbers', () => {
    const { watch, history, etcd } = withEnv({
      TRIGGERD_WATCH_ENABLED: 'false',
      TRIGGERD_WATCH_ALLOW: 'puppet, service',
      TRIGGERD_HISTORY_KEEP: '5',
      TRIGGERD_ETCD_ENDPOINTS: 'http://a:1,http://b:2',
    });
    expect(watch).toMatchObject({ enabled: false, allow: ['puppet', 'service'] });
    expect(history.keep).toBe(5);
    expect(etcd.endpoints).toEqual(['http://a:1', 'http://b:2']);
  });

  it('the environment takes an empty text as an empty list', () => {
    expect(withEnv({ TRIGGERD_WATCH_ALLOW: '' }).watch.allow).toEqual([]);
  });

  it.each(['yes', '1', 'TRUE', ''])('the environment does not accept “%s” as a boolean', (text) => {
    expect(refusal('', { env: { TRIGGERD_WATCH_ENABLED: text } }).message).toContain(
      'watch.enabled ($TRIGGERD_WATCH_ENABLED): expected true or false',
    );
  });

  it('the environment reaches queues by name, also those with a dash in the file', () => {
    const { queues } = withEnv(
      { TRIGGERD_QUEUES_DEFAULT_SLOTS: '2', TRIGGERD_QUEUES_NIGHTLY_BACKUP_SLOTS: '3', TRIGGERD_QUEUES_NEW_SLOTS: '4' },
      '[queues.nightly-backup]\nslots = 1',
    );
    expect(queues).toMatchObject({ default: { slots: 2 }, 'nightly-backup': { slots: 3 }, new: { slots: 4 } });
    expect(queues).not.toHaveProperty('nightly_backup');
  });

  it('the environment reaches workers', () => {
    const { workers } = withEnv({ TRIGGERD_WORKERS_TEAM1_DEMO01_TOKEN: 't' });
    expect(workers).toMatchObject({ team1: { demo01: { token: 't' } } });
  });

  it('the environment enables a gateway by naming its key', () => {
    expect(withEnv({ TRIGGERD_HTTP_LISTEN: '127.0.0.1:0' }).http).toBeDefined();
  });

  it('the environment refuses a variable that looks like a key and is none', () => {
    const of = (name: string) => refusal('', { env: { [name]: 'x' } }).message;
    expect(of('TRIGGERD_ETCD_ENDPOINT')).toBe(
      '/etc/t.toml: $TRIGGERD_ETCD_ENDPOINT: unknown variable, did you mean “TRIGGERD_ETCD_ENDPOINTS”?',
    );
    expect(of('TRIGGERD_ECTD_PREFIX')).toContain('did you mean “TRIGGERD_ETCD_PREFIX”?');
  });

  it.each([
    'TRIGGERD_CONFIG',
    'TRIGGERD_CONTEXT',
    'TRIGGERD_SOCKET',
    'TRIGGERD_JOB',
    'TRIGGERD_NODE',
    'TRIGGERD_FIRING',
    'TRIGGERD_JOB_TOKEN',
    'TRIGGERD_DEADLINE',
    'TRIGGERD_NOOP',
    'TRIGGERD_SOURCE',
    'TRIGGERD_ATTEMPT',
    'TRIGGERD_STATE',
    'TRIGGERD_RUNTIME',
  ])('the environment leaves %s alone: jobs have it', (name) => {
    expect(() => withEnv({ [name]: 'x' })).not.toThrow();
  });
});

describe('overrides', () => {
  it('overrides of unknown keys are refused', () => {
    expect(refusal('', { overrides: { 'node.sockt': '/x' } }).message).toContain('did you mean “node.socket”?');
  });

  it('overrides are parsed like the environment', () => {
    expect(parse('', { overrides: { 'watch.enabled': 'false' } }).config.watch.enabled).toBe(false);
  });
});
