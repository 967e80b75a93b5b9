import { createSinceBoot } from '../adapters/system/since-boot.ts';

export const clock = { now: (): number => Date.now(), sinceBoot: createSinceBoot() };
