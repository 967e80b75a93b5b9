# frozen_string_literal: true

require 'json'
require_relative 'failure'

# Reads what etcd's JSON gateway answered.
module PuppetX::Trigger::Answer
  # etcd's messages, by their meaning for the module.
  MESSAGES = {
    /invalid auth token|revision of auth store is old/ => :stale_token,
    /user name is empty/ => :auth_required,
    /authentication failed/ => :credentials,
    /permission denied/ => :denied,
  }.freeze

  # Plain-text answers of etcd and Go's web server.
  PLAIN_TEXTS = { 'HTTPS server' => :wants_https, 'CommonName of client' => :common_name }.freeze

  module_function

  # @param response [Net::HTTPResponse]
  # @return [Hash] the body of a success
  # @raise [Failure]
  def read(response)
    body = parse(response.body)
    status = response.code.to_i
    return body if status == 200 && body
    raise PuppetX::Trigger::Failure.new(:not_etcd, 'answered 200 without a JSON object') if status == 200

    text = words(body)
    raise PuppetX::Trigger::Failure.new(kind(status, text, response.body.to_s), ["HTTP #{status}", text].compact.join(': '))
  end

  def parse(text)
    body = JSON.parse(text.to_s)
    body if body.is_a?(Hash)
  rescue JSON::ParserError, EncodingError
    nil
  end

  # The message if it is etcd's own. Any other text may contain what this module has sent.
  def words(body)
    text = (body || {}).values_at('error', 'message').find { |value| value.is_a?(String) }
    text[0, 200] if text&.start_with?('etcdserver:') && !text.include?('{')
  end

  def kind(status, text, body)
    known = MESSAGES.find { |pattern, _| pattern.match?(text.to_s) }
    return known.last if known
    return :unavailable if status >= 500 || status == 429
    return :rejected if text

    _, plain = PLAIN_TEXTS.find { |words, _| body.include?(words) }
    plain || (status == 404 ? :gateway_missing : :not_etcd)
  end
end
