/** Jobs that are over at once: what a worker is sent is what it has printed. */
export const echoJobs = (slots) => ({
  free: () => slots,
  onFree: () => () => undefined,
  start: ({ payload }, listener) => {
    queueMicrotask(async () => {
      await listener.output({ stream: 'out', bytes: payload });
      listener.ended({
        jobId: null,
        result: { kind: 'succeeded', exitCode: 0 },
        ranMs: 0,
        outputBytes: payload.length,
        outputTail: payload,
      });
    });
    return 'started';
  },
  follow: () => false,
  unfollow: () => undefined,
  cancel: () => undefined,
  running: () => [],
});

export const log = { debug() {}, info() {}, warn: console.error, error: console.error };
