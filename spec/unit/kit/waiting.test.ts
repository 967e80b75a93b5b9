import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { nextCall } from '../../../src/kit/next-call.ts';
import { onAbort } from '../../../src/kit/on-abort.ts';
import { Alarm, pause } from '../../../src/kit/pause.ts';
import { unlessAborted } from '../../../src/kit/unless-aborted.ts';
import { withTimeout } from '../../../src/kit/with-timeout.ts';

const never = new Promise<never>(() => undefined);
const refuse = (): never => {
  throw new Error('too late');
};

describe('onAbort', () => {
  it('calls once, also for a signal that was aborted before', () => {
    let calls = 0;
    const stop = new AbortController();
    onAbort(stop.signal, () => calls++);
    stop.abort();
    stop.abort();
    onAbort(stop.signal, () => calls++);
    expect(calls).toBe(2);
  });

  it('does not call somebody who has stopped listening', () => {
    const stop = new AbortController();
    const off = onAbort(stop.signal, refuse);
    off();
    stop.abort();
  });
});

describe('withTimeout', () => {
  it('is what the work gives, or what it throws', async () => {
    expect(await withTimeout(Promise.resolve(1), 60_000, refuse)).toBe(1);
    await expect(withTimeout(Promise.reject(new Error('no')), 60_000, refuse)).rejects.toThrow('no');
  });

  it('is what the end gives or throws when the work takes longer', async () => {
    expect(await withTimeout(never, 1, () => 'late')).toBe('late');
    await expect(withTimeout(never, 1, refuse)).rejects.toThrow('too late');
  });
});

it('an abort that ends a wait with an error rejects it, and nothing else', async () => {
  await expect(unlessAborted(never, AbortSignal.abort(), refuse)).rejects.toThrow('too late');
});

describe('nextCall', () => {
  const subscribedTo = (source: EventEmitter) => (call: () => void) => {
    source.on('change', call);
    return () => source.off('change', call);
  };

  it('waits for a call, and unsubscribes then', async () => {
    const source = new EventEmitter();
    const called = nextCall(subscribedTo(source));
    source.emit('change');
    await called;
    expect(source.listenerCount('change')).toBe(0);
  });

  it('ends with an abort, also one that was before, and unsubscribes then', async () => {
    const source = new EventEmitter();
    const stop = new AbortController();
    const called = nextCall(subscribedTo(source), stop.signal);
    stop.abort();
    await called;
    await nextCall(subscribedTo(source), stop.signal);
    expect(source.listenerCount('change')).toBe(0);
  });

  it('unsubscribes from what calls before it has subscribed', async () => {
    let isSubscribed = true;
    await nextCall((call) => {
      call();
      return () => {
        isSubscribed = false;
      };
    });
    expect(isSubscribed).toBe(false);
  });
});

describe('a pause', () => {
  it('ends with an abort, and an alarm that rings', async () => {
    const { signal } = new AbortController();
    await pause(600_000, AbortSignal.abort());
    const alarm = new Alarm();
    const waiting = alarm.wait(600_000, signal);
    alarm.ring();
    expect(await waiting).toBe(true);
    alarm.ring();
    expect(await alarm.wait(600_000, signal)).toBe(true);
    expect(await alarm.wait(600_000, AbortSignal.abort())).toBe(false);
  });
});
