import { Gauge, type Registry } from 'prom-client';

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
