/** `triggerd`: loads the configuration, starts the daemon, and turns signals into its verbs. */
import { join } from 'node:path';
import { Command } from 'commander';
import { createLog } from '../adapters/log/log.ts';
import { baseEnvironment } from '../adapters/system/base-env.ts';
import { findMachineNames } from '../adapters/system/machine-names.ts';
import { createNotifier } from '../adapters/systemd/notify.ts';
import type { LoadedConfig } from '../config/config.ts';
import { resolveNodeName } from '../config/node-name.ts';
import { startDaemon } from '../daemon/daemon.ts';
import { loadConfig } from './load-config.ts';
