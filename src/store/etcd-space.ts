/** How full an etcd is. One rule for whoever refuses, cleans up, warns or shows it. */
export interface EtcdSpace {
  /** The largest database file of all members that answered. etcd's quota is compared with this. */
  readonly fileBytes: number;
  /** What is in use in it. The rest is used again before the file grows. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
}

/** etcd's own default of `--quota-backend-bytes`. */
export const defaultQuotaBytes = 2_147_483_648;
/** Quota of an etcd that the daemon starts itself. */
export const embeddedQuotaBytes = 536_870_912;

const nearlyFull = 0.8;
/** The file itself: its next page may be the one beyond the quota, however much is free in it. */
const fileNearlyFull = 0.95;
const filling = 0.6;

/** Only firings, outcomes and presence are written from here on. */
export const isNearlyFull = ({ fileBytes, usedBytes, quotaBytes }: EtcdSpace): boolean =>
  usedBytes >= nearlyFull * quotaBytes || fileBytes >= fileNearlyFull * quotaBytes;

/** Somebody should look, while there is time. */
export const isFilling = ({ fileBytes, usedBytes, quotaBytes }: EtcdSpace): boolean =>
  usedBytes >= filling * quotaBytes || fileBytes >= nearlyFull * quotaBytes;
