import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { checkBroker } from '../../../src/doctor/broker.ts';
import type { Surroundings } from '../../../src/doctor/ports.ts';

const key = 'k'.repeat(40);
const broker = { listen: 'tcp://0.0.0.0:5555' };

describe('the doctor and brokers', () => {
  const check = async (
    open: readonly string[],
    { name, ...config }: { name?: string; broker?: object; main?: Partial<Config['main']>; workers?: object },
    listening?: string,
  ): Promise<string[]> => {
    const machine = { accepts: async (host: string, port: number) => open.includes(`${host}:${port}`) };
    const daemon = {
      broker: async () => {
        if (listening === undefined) throw new Error('no daemon answers');
        return { listen: listening };
      },
    };
    const findings = await checkBroker(
      { machine, daemon } as unknown as Surroundings,
      { main: {}, workers: {}, node: { name }, ...config } as unknown as Config,
    );
    return findings.map(({ state, what }) => `${state}: ${what}`);
  };

  it('doctor says nothing about brokers where none is configured', async () => {
    expect(await check([], {})).toEqual(['unused: none configured ([broker], [main] broker, [workers] broker)']);
  });

  it('doctor tells an own broker that runs from one that does not', async () => {
    expect(await check(['127.0.0.1:5555', 'b1:5555'], { broker, name: 'b1' })).toEqual([
      'fine: tcp://127.0.0.1:5555 accepts connections',
    ]);
    expect(await check([], { broker, name: 'b1' })).toEqual(['wrong: tcp://127.0.0.1:5555 accepts no connection']);
  });

  it('doctor asks the daemon for the kernel’s port where the broker listens on port 0', async () => {
    const any = { broker: { listen: 'tcp://[::]:0' }, name: 'b1' };
    const open = ['127.0.0.1:4711', 'b1:4711'];
    expect(await check(open, any, 'tcp://[::]:4711')).toEqual(['fine: tcp://127.0.0.1:4711 accepts connections']);
    expect((await check(['127.0.0.1:4711'], any, 'tcp://[::]:4711'))[0]).toContain('connect to tcp://b1:4711');
    expect(await check(open, any)).toEqual(['wrong: tcp://127.0.0.1:0 accepts no connection']);
  });

  it('doctor warns of a published address that leads nowhere', async () => {
    const [warning] = await check(['127.0.0.1:5555'], { broker, name: 'b1' });
    expect(warning).toContain('warning: clients are told to connect to tcp://b1:5555');
    const advertise = 'tcp://outside:80';
    expect(await check(['127.0.0.1:5555', 'outside:80'], { broker: { ...broker, advertise }, name: 'b1' })).toEqual([
      'fine: tcp://127.0.0.1:5555 accepts connections',
    ]);
  });

  it('doctor checks each broker that is used', async () => {
    const main = { broker: ['tcp://b1:5555', 'tcp://b2:5555'], broker_key: [key, key] };
    expect(await check(['b2:5555'], { main })).toEqual([
      'wrong: tcp://b1:5555 accepts no connection',
      'fine: tcp://b2:5555 accepts connections',
    ]);
    expect(await check([], { main: { broker: ['tcp://b1:5555'] } })).toEqual(['wrong: [main] broker_key is missing']);
    const workers = { broker: ['tcp://b3:5555'], broker_key: [key] };
    expect(await check([], { workers })).toEqual(['wrong: tcp://b3:5555 accepts no connection']);
    expect(await check([], { workers: { broker: ['tcp://b3:5555'] } })).toEqual([
      'wrong: [workers] broker_key is missing',
    ]);
  });
});
