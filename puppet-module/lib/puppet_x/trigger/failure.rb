# frozen_string_literal: true

require_relative 'errors'

# Why one endpoint did not do what it was asked: a kind from a fixed list, and words.
class PuppetX::Trigger::Failure < PuppetX::Trigger::Error
  # What the whole cluster would answer the same way: asking another endpoint is useless.
  FINAL = %i[auth_required credentials denied stale_token rejected].freeze

  # The request may have been carried out all the same.
  UNCERTAIN = %i[unanswered unavailable].freeze

  HINTS = {
    unreachable: 'check that etcd runs there and that the endpoint is right',
    unanswered: 'check that it is etcd, that it speaks http or https as written, and its health (etcdctl endpoint health)',
    unavailable: 'check the cluster (etcdctl endpoint status)',
    tls: 'check ca_file, cert_file and key_file in the client settings',
    certificate_expired: "renew etcd's certificate, or check this node's clock",
    certificate_name: "write the name or address that etcd's certificate is for in endpoints, or issue it for this one",
    certificate_authority: "name the authority of etcd's certificate as ca_file in the client settings",
    wants_http: 'this endpoint speaks no TLS: write http:// in endpoints, or better: give etcd TLS',
    grpc_proxy: "this is etcd's gRPC proxy or no etcd: it has no JSON gateway; write the members of the cluster in endpoints",
    wants_https: 'this endpoint speaks TLS: write https:// in endpoints',
    gateway_missing: "etcd's JSON gateway is off: set `enable-grpc-gateway: true` in its configuration",
    common_name: "with authentication etcd's JSON gateway takes no client certificate with a CommonName: use one without",
    not_etcd: 'check that the endpoint is etcd 3.4 or newer',
    auth_required: 'etcd has authentication enabled: set username and password_file in the client settings',
    credentials: 'check username and password_file in the client settings',
    stale_token: 'etcd refused a token that it had just made; check its --auth-token option',
    denied: "grant etcd's user readwrite on the key prefix (etcdctl role grant-permission --prefix=true)",
    rejected: nil,
  }.freeze

  attr_reader :kind

  # @param kind [Symbol] one of the keys of HINTS
  # @param reason [String] what was seen
  def initialize(kind, reason)
    @kind = kind
    super(reason)
  end

  def final?
    FINAL.include?(kind)
  end

  def uncertain?
    UNCERTAIN.include?(kind)
  end

  # @return [String, nil] what to do
  def hint
    HINTS.fetch(kind)
  end
end
