/**
 * What the registry takes, so that nobody fills etcd with it. Root, through a node's control socket, is bound by the sizes,
 * not by the rates. What exists above a limit stays in force, and can be made smaller.
 */
export interface RegistryLimits {
  /** Changes of one user in a minute. */
  readonly changes: number;
  /** Bytes that one user's changes write into etcd in a minute. */
  readonly changeBytes: number;
  /** Bytes of the names and values of a definition's arguments. */
  readonly argumentBytes: number;
  /** Bytes of keys and values of one team's workers, services, directories, definitions and hits. */
  readonly teamBytes: number;
}

export const defaultLimits: RegistryLimits = {
  changes: 600,
  changeBytes: 4_194_304,
  argumentBytes: 16_384,
  teamBytes: 16_777_216,
};
