# frozen_string_literal: true

require 'json'
require 'net/http'
require 'socket'
require 'timeout'
require_relative 'errors'

# The control socket of this node's daemon: HTTP/1.1 over a Unix socket.
class PuppetX::Trigger::ControlSocket
  OPEN_TIMEOUT = 3
  # The daemon fsyncs, and for `publish` tells etcd, which it gives `[etcd] request_timeout` for each step.
  READ_TIMEOUT = 30
  NETWORK_ERRORS = [SystemCallError, IOError, Timeout::Error, Net::ProtocolError, Net::HTTPBadResponse,
                    Net::HTTPHeaderSyntaxError].freeze

  # What the daemon says where the firing itself is no good.
  REFUSALS = %w[input-invalid firing-malformed].freeze

  # HTTP's own client, over the socket.
  class Connection < Net::HTTP
    # The nil keeps http_proxy of the environment out of it.
    def self.to(path, open_timeout, read_timeout)
      new('localhost', nil, nil).tap do |http|
        http.socket_path = path
        http.open_timeout = open_timeout
        http.read_timeout = read_timeout
        http.write_timeout = read_timeout
        http.max_retries = 0
      end
    end

    attr_accessor :socket_path

    private

    def connect
      socket = Timeout.timeout(open_timeout, Net::OpenTimeout) { UNIXSocket.new(socket_path) }
      @socket = Net::BufferedIO.new(socket, read_timeout: read_timeout, write_timeout: write_timeout)
      on_connect
    end
  end

  # @param path [String]
  def initialize(path, open_timeout: OPEN_TIMEOUT, read_timeout: READ_TIMEOUT)
    @path = path
    @open_timeout = open_timeout
    @read_timeout = read_timeout
  end

  # The daemon has the firing on its disk when this returns.
  # @param json [String] the document
  # @raise [DaemonAway, InvalidFiring]
  def store(json)
    post('/v1/spool', json)
  end

  # etcd has the firing when this returns.
  # @raise [PublishError] when the daemon has it and etcd has not
  # @raise [DaemonAway, InvalidFiring]
  def publish(json)
    post('/v1/spool?publish=1', json)
  end

  private

  def post(path, json)
    response = exchange(path, json)
    return if response.code.start_with?('2')

    raise refusal(response)
  rescue *NETWORK_ERRORS => e
    raise PuppetX::Trigger::DaemonAway, "the daemon triggerd does not answer on #{@path} (#{describe(e)}). To do: " \
                                        '`systemctl status triggerd`; name another socket as `socket` in client.json'
  end

  def exchange(path, json)
    http = Connection.to(@path, @open_timeout, @read_timeout)
    http.start { http.post(path, json, 'Content-Type' => 'application/json') }
  end

  def refusal(response)
    return PuppetX::Trigger::DaemonAway.new('the daemon triggerd is too old to take firings. To do: upgrade it') if response.code == '404'

    error = parse(response.body)
    advice = "#{error['message'] || "HTTP #{response.code}"}. To do: #{error['remedy'] || "look at the daemon's log"}"
    return PuppetX::Trigger::InvalidFiring.new(error['message']) if REFUSALS.include?(error['code'])
    return PuppetX::Trigger::PublishError.new(advice) if error.dig('details', 'stage') == 'stored'

    PuppetX::Trigger::DaemonAway.new("the daemon triggerd can't take a firing: #{advice}")
  end

  def parse(body)
    error = JSON.parse(body.to_s)['error']
    error.is_a?(Hash) ? error : {}
  rescue JSON::ParserError, NoMethodError, TypeError
    {}
  end

  def describe(error)
    case error
    when Errno::ENOENT then 'there is no such socket'
    when Errno::ECONNREFUSED then 'nobody listens'
    when Errno::EACCES then 'permission denied'
    when Net::OpenTimeout then "no connection within #{@open_timeout} s"
    when Timeout::Error then "no answer within #{@read_timeout} s"
    when SystemCallError then error.class.new.message
    else 'the connection was closed'
    end
  end
end
