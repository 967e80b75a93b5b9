import { join } from 'node:path';
import { parseArgsStringToArgv } from 'string-argv';
import { examineMember, isOpenToStrangers } from '../../adapters/etcd/examine-member.ts';
import { createPuppetHost } from '../../adapters/puppet/puppet-host.ts';
import { baseEnvironment } from '../../adapters/system/base-env.ts';
import { thisMachine } from '../../adapters/system/machine.ts';
import type { LoadedConfig } from '../../config/config.ts';
import { examine } from '../../doctor/examine.ts';
import type { CheckedArea, Finding } from '../../doctor/finding.ts';
import type { DaemonProbe } from '../../doctor/ports.ts';
import { silentLog } from '../../kit/log.ts';
import { etcdOptions, probeKey, withEmbedded } from '../compose/etcd.ts';

/** Examines this machine from a process of its own: the daemon may be what is ill. */
export const runDoctor = (
  configured: LoadedConfig,
  daemon: DaemonProbe,
  areas?: readonly CheckedArea[],
): Promise<Finding[]> => {
  const loaded = { ...configured, config: withEmbedded(configured.config) };
  const { node, watch, etcd } = loaded.config;
  return examine(
    {
      daemon,
      // The files are read when etcd is asked: one that cannot be read is etcd's finding, not the end of all.
      etcd: {
        member: async (endpoint) => {
          const member = await examineMember(endpoint, probeKey(etcd), etcdOptions(loaded.config, silentLog));
          return etcd.quota === undefined ? member : { ...member, quotaBytes: etcd.quota };
        },
        isOpenToStrangers: async (endpoint) =>
          isOpenToStrangers(endpoint, probeKey(etcd), etcdOptions(loaded.config, silentLog)),
      },
      machine: thisMachine,
      puppet: createPuppetHost({ env: baseEnvironment(), onProblem: () => undefined }),
      now: () => Date.now(),
    },
    {
      loaded,
      runCommand: parseArgsStringToArgv(watch.run_cmd),
      spoolFolder: node.spool ?? join(node.state_dir, 'spool'),
      endpoints: etcd.endpoints,
    },
    areas,
  );
};
