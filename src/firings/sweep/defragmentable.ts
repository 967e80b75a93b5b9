/**
 * Whether a member of this version may be defragmented by a program. One of 3.5.0 to 3.5.5 that is killed meanwhile comes back
 * with other data than its peers (etcd-io/etcd#14685); a person who defragments it can look.
 */
export const isSafeToDefragment = (version: string): boolean => {
  const [major, minor, patch = 0] = version.split(/[.+-]/).map(Number);
  return !(major === 3 && minor === 5 && patch < 6);
};
