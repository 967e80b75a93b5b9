/** A broker as it is connected to: which one it is says its key. */
export interface BrokerEndpoint {
  /** Such as `tcp://broker.example.com:5555`. */
  readonly endpoint: string;
  /** Its CURVE public key (Z85), which `trigger broker key` prints there. */
  readonly key: string;
}

/** A broker by name. */
export interface BrokerAddress extends BrokerEndpoint {
  readonly id: string;
}
