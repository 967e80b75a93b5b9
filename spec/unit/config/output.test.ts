import { describe, expect, it } from 'vitest';
import configurationPage from '../../../docs/reference/configuration.md?raw';
import errorsPage from '../../../docs/reference/errors.md?raw';
import { renderErrorReference } from '../../../src/config/error-reference.ts';
import { locateConfig, locateTriggerfsConfig } from '../../../src/config/locate.ts';
import { resolveNodeName } from '../../../src/config/node-name.ts';
import { renderConfigReference } from '../../../src/config/reference.ts';
import { maskSecrets, renderToml } from '../../../src/config/render-toml.ts';
import { configShape, keysOf } from '../../../src/config/shape.ts';
import { errorCatalogue } from '../../../src/domain/errors.ts';
import { formatSize, parseSize } from '../../../src/kit/size.ts';
import full from '../../fixtures/config/0.1-full.toml?raw';
import { parse } from './parse.ts';

describe('config print', () => {
  it('config print prints a file that loads again and means the same', () => {
    const loaded = parse(full);
    const again = parse(renderToml(loaded));
    expect(maskSecrets(again.config)).toEqual(maskSecrets(loaded.config));
    expect(again.config.jobs).toEqual(loaded.config.jobs);
  });

  it('config print masks secrets', () => {
    const printed = renderToml(parse(full));
    expect(printed).toContain('token = "********"');
    expect(printed).not.toMatch(/9b1bd278|eyJhbGciOi|"password"/);
  });

  it('config print masks the user and password of a link', () => {
    const link = 'https://hp:hunter2@board.example.com/report/{hash}';
    const printed = renderToml(parse(`[puppetdb]\nurl = "https://db:8081"\nreport_url = "${link}"`));
    expect(printed).toContain('report_url = "https://********@board.example.com/report/{hash}"');
  });

  it('config print says where a value came from', () => {
    const printed = renderToml(
      parse('[node]\nname = "a"', { env: { TRIGGERD_JOBS_GRACE: '90s' }, overrides: { 'node.socket': '/s' } }),
    );
    expect(printed).toContain('name = "a"  # file');
    expect(printed).toContain('grace = "1m30s"  # $TRIGGERD_JOBS_GRACE');
    expect(printed).toContain('socket = "/s"  # flag');
    expect(printed).toContain('state_dir = "/var/lib/triggerd"  # default');
  });
});

describe('the reference pages', () => {
  it('the reference pages match the code (otherwise: npm run docs)', () => {
    expect(configurationPage).toBe(renderConfigReference());
    expect(errorsPage).toBe(renderErrorReference());
  });

  it('the reference pages have every key and every error code', () => {
    for (const [path] of keysOf(configShape())) expect(renderConfigReference()).toContain(`| \`${path.at(-1)}\` `);
    for (const code of Object.keys(errorCatalogue)) expect(renderErrorReference()).toContain(`| \`${code}\` `);
  });
});

describe('which file', () => {
  it('the configuration file is --config, otherwise $TRIGGERD_CONFIG, otherwise the default, which may be missing', () => {
    expect(locateConfig('/a', { TRIGGERD_CONFIG: '/b' })).toEqual([{ path: '/a', named: true }]);
    expect(locateConfig(undefined, { TRIGGERD_CONFIG: '/b' })).toEqual([{ path: '/b', named: true }]);
    expect(locateConfig(undefined, { TRIGGERD_CONFIG: '' })).toEqual([
      { path: '/etc/triggerd/triggerd.toml', named: false },
    ]);
  });

  it('the configuration file of triggerfs* is also $HOME/triggerfs.toml, unless one is named', () => {
    const paths = (flag?: string) => locateTriggerfsConfig(flag, { HOME: '/home/hp' }).map(({ path }) => path);
    expect(paths()).toEqual(['/home/hp/triggerfs.toml', '/etc/triggerd/triggerd.toml']);
    expect(paths('/a')).toEqual(['/a']);
  });
});

describe('this node’s name', () => {
  const machine = { certname: 'Cert.example.com', fqdn: 'fqdn.example.com' };

  it('a node’s name is the configured one, otherwise the certname, otherwise the FQDN', () => {
    expect(resolveNodeName(parse('[node]\nname = "given"').config, machine)).toBe('given');
    expect(resolveNodeName(parse('').config, machine)).toBe('cert.example.com');
    expect(resolveNodeName(parse('').config, { ...machine, certname: null })).toBe('fqdn.example.com');
  });

  it('a node’s name is never guessed from an invalid name', () => {
    expect(() => resolveNodeName(parse('').config, { certname: null, fqdn: 'a b' })).toThrow('not a node name');
  });
});

describe('sizes', () => {
  it.each([
    [65_536, 65_536],
    ['64MiB', 64 * 2 ** 20],
    ['10MB', 10_000_000],
    ['5 KiB', 5120],
    ['7B', 7],
  ])('the size %j is %d bytes', (written, bytes) => {
    expect(parseSize(written)).toBe(bytes);
    expect(parseSize(formatSize(bytes))).toBe(bytes);
  });

  it.each(['', '64', '1.5MiB', '-1B', '1TiB', Number.NaN, -1, 1.5, true])('%j is no size', (value) => {
    expect(parseSize(value)).toBeUndefined();
  });
});
