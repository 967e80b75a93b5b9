/** How the processes of `triggerd`, `triggerfs` and `triggerfs-worker` begin. */
import { baseEnvironment } from '../../adapters/system/base-env.ts';
import { assertExactText, workingFolder } from '../../adapters/system/exact-text.ts';
import { closeInherited } from '../../adapters/system/inherited.ts';
import { findMachineNames } from '../../adapters/system/machine-names.ts';
import type { LoadedConfig } from '../../config/config.ts';
import { resolveNodeName } from '../../config/node-name.ts';
import { surviveLostOutput } from './lost-output.ts';

/** Throws where the arguments or the working folder are not text; the configuration makes its paths absolute by that. */
export const beginDaemon = (): void => {
  closeInherited();
  surviveLostOutput();
  assertExactText();
  workingFolder();
};

export const nodeNameOf = async ({ config }: LoadedConfig): Promise<string> =>
  config.node.name ?? resolveNodeName(config, await findMachineNames(baseEnvironment()));
