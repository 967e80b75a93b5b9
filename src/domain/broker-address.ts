/** Where a broker listens, and its CURVE public key (Z85). */
export interface BrokerAddress {
  readonly id: string;
  readonly endpoint: string;
  readonly key: string;
}
