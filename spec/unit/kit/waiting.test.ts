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
  it('onAbort calls once, also for a signal that was aborted before', () => {
    let calls = 0;
    const stop = new AbortController();
    onAbort(stop.signal, () => calls++);
    stop.abort();
    stop.abort();
    onAbort(stop.signal, () => calls++);
    expect(calls).toBe(2);
  });

  it('onAbort does not call a listener that was removed', () => {
    const stop = new AbortController();
    const off = onAbort(stop.signal, refuse);
    off();
    stop.abort();
  });
});

describe('withTimeout', () => {
  it('withTimeout returns what the work returns, and throws what the work throws', async () => {
    expect(await withTimeout(Promise.resolve(1), 60_000, refuse)).toBe(1);
    await expect(withTimeout(Promise.reject(new Error('no')), 60_000, refuse)).rejects.toThrow('no');
  });

  it('withTimeout returns or throws what its end does when the work takes longer', async () => {
    expect(await withTimeout(never, 1, () => 'late')).toBe('late');
    await expect(withTimeout(never, 1, refuse)).rejects.toThrow('too late');
  });
});

it('withTimeout rejects when an abort ends the wait with an error, and otherwise not', async () => {
  await expect(unlessAborted(never, AbortSignal.abort(), refuse)).rejects.toThrow('too late');
});

describe('nextCall', () => {
  const subscribedTo = (source: EventEmitter) => (call: () => void) => {
    source.on('change', call);
    return () => source.off('change', call);
  };

  it('nextCall waits for a call, and unsubscribes then', async () => {
    const source = new EventEmitter();
    const called = nextCall(subscribedTo(source));
    source.emit('change');
    await called;
    expect(source.listenerCount('change')).toBe(0);
  });

  it('nextCall ends with an abort, even an earlier one, and unsubscribes then', async () => {
    const source = new EventEmitter();
    const stop = new AbortController();
    const called = nextCall(subscribedTo(source), stop.signal);
    stop.abort();
    await called;
    await nextCall(subscribedTo(source), stop.signal);
    expect(source.listenerCount('change')).toBe(0);
  });

  it('nextCall unsubscribes from a source that calls before the subscription ends', async () => {
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
  it('a pause ends with an abort, and with an alarm', async () => {
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
