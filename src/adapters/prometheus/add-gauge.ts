import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Adds gauges whose value is looked up when somebody asks; null: it has none now. */
export const gaugesOf =
  (registry: Registry) =>
  (name: string, help: string, value: () => number | null): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const now = value();
        if (now === null) this.remove();
        else this.set(now);
      },
    });
  };

/**
 * The usual facts about a process, looked up when they are asked for. prom-client's own collector would also measure the
 * event loop's delay, with a timer that wakes an idle daemon a hundred times a second.
 */
export const addProcessMetrics = (registry: Registry): void => {
  const registers = [registry];
  const startedAt = Math.round(Date.now() / 1000 - process.uptime());
  const gauge = gaugesOf(registry);
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  gauge('process_start_time_seconds', 'Start time of the process in seconds since the epoch.', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory in bytes.', () => process.memoryUsage.rss());
  gauge('process_open_fds', 'Open file descriptors.', () => readdirSync('/proc/self/fd').length);
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use, in bytes.', () => process.memoryUsage().heapUsed);
};
