import { describe, expect, it } from 'vitest';
import { createResourceCollector } from '../../../src/plugin/puppet/reported-resources.ts';
import real from '../../fixtures/puppet/last_run_report.yaml?raw';

const collect = (text: string) => {
  const collector = createResourceCollector();
  for (const line of text.split('\n')) collector.add(line);
  return collector.end();
};

/** Puppet 7 wrote this one: a file, a notify whose name has a colon, quotes and a line break, an exec that failed. */

const block = (name: string, fields: string): string =>
  `  ${name}:\n    title: x\n    file: "/srv/site/a.pp"\n    line: 1\n    resource: ${name}\n${fields}    events: []\n`;
const report = (...blocks: string[]): string => `---\nhost: x\nresource_statuses:\n${blocks.join('')}status: changed\n`;

describe('the resources of a Puppet report', () => {
  it('a Puppet report’s resources are those that changed and those that failed, with place and message', () => {
    expect(collect(real)).toEqual({
      changed_resources: [
        {
          resource: 'File[/srv/site/x y]',
          file: '/srv/site/a.pp',
          line: 1,
          property: 'ensure',
          message: expect.stringMatching(/^defined content as '\{sha256\}7e18/),
        },
        {
          resource: "Notify[with: colon 'q'\nnl]",
          file: '/srv/site/a.pp',
          line: 3,
          property: 'message',
          message: `defined 'message' as "with: colon 'q'\\nnl"`,
        },
      ],
      failed_resources: [
        {
          resource: 'Exec[long one]',
          file: '/srv/site/a.pp',
          line: 2,
          property: null,
          message: expect.stringMatching(/^Failed to call refresh: .* returned 1 instead of one of \[0\]$/),
        },
      ],
    });
  });

  it('a Puppet report’s resources are at most 20 of each kind', () => {
    const many = (kind: string) =>
      Array.from({ length: 30 }, (_, index) => block(`Notify[${kind}${index}]`, `    ${kind}: true\n`));
    const { changed_resources: changed, failed_resources: failed } = collect(
      report(...many('changed'), ...many('failed')),
    );
    expect([changed.length, failed.length]).toEqual([20, 20]);
    expect(failed.at(-1)?.resource).toBe('Notify[failed19]');
  });

  it('a Puppet report’s long resources are cut, and a block that is not quite YAML yields what it can', () => {
    const odd = block('File[/odd]', '    changed: true\n    bad: [\n');
    const { changed_resources: changed } = collect(
      report(odd, block(`File[/${'x'.repeat(999)}]`, '    changed: true\n')),
    );
    expect(changed.map(({ resource }) => resource.length)).toEqual([10, 300]);
  });

  it('a Puppet report that is cut off early, or is something else, has no resources', () => {
    for (const text of [
      '',
      '---\nhost: x\n',
      real.slice(0, 800),
      '\u0000\u0001',
      'resource_statuses:\n  - changed: true',
    ])
      expect(collect(text)).toEqual({ changed_resources: [], failed_resources: [] });
  });
});
