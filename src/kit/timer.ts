/** Node fires at once what is set to more than this. */
const longestStepMs = 2 ** 31 - 1;

/** `setTimeout` for any number of milliseconds, also 60 days; returns the canceller. */
export const startTimer = (ms: number, act: () => void): (() => void) => {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (left: number): void => {
    const step = Math.min(left, longestStepMs);
    timer = setTimeout(() => (left > step ? wait(left - step) : act()), step);
  };
  wait(ms);
  return () => clearTimeout(timer);
};
