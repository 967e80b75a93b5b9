# frozen_string_literal: true

require_relative 'errors'

# The failure of a request to one endpoint: a kind from a fixed list, and a message.
class PuppetX::Trigger::Failure < PuppetX::Trigger::Error
  # The whole cluster would answer the same, so another endpoint is useless.
  FINAL = %i[auth_required credentials denied stale_token rejected].freeze

  # etcd may have applied the request.
  UNCERTAIN = %i[unanswered unavailable].freeze

  HINTS = {
    unreachable: 'Check that etcd runs there and that the endpoint is right',
    unanswered: 'Check that the endpoint is etcd, that its scheme (http or https) is right, and its health (etcdctl endpoint health)',
    unavailable: 'Check the cluster (etcdctl endpoint status)',
    tls: 'Check ca_file, cert_file and key_file in the client settings',
    certificate_expired: "Renew etcd's certificate, or check this node's clock",
    certificate_name: "Write in endpoints the name or address in etcd's certificate, or issue a certificate for this endpoint",
    certificate_authority: "Set ca_file in the client settings to the CA certificate that signed etcd's certificate",
    wants_http: 'This endpoint has no TLS. Set up TLS in etcd, or write http:// in endpoints',
    grpc_proxy: "This is etcd's gRPC proxy or not etcd: it has no JSON gateway. Write the cluster's members in endpoints",
    wants_https: 'This endpoint has TLS. Write https:// in endpoints',
    gateway_missing: "etcd's JSON gateway is off. Set `enable-grpc-gateway: true` in etcd's configuration",
    common_name: "With authentication, etcd's JSON gateway accepts no client certificate with a CommonName. Use one without",
    not_etcd: 'Check that the endpoint is etcd 3.4 or later',
    auth_required: 'etcd has authentication enabled. Set username and password_file in the client settings',
    credentials: 'Check username and password_file in the client settings',
    stale_token: 'etcd refused a token that it had just issued. Check its option --auth-token',
    denied: "Grant etcd's user readwrite on the key prefix (etcdctl role grant-permission --prefix=true)",
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
