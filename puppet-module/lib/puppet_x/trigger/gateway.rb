# frozen_string_literal: true

require_relative 'client_settings'
require_relative 'endpoint'
require_relative 'failure'
require_relative 'tls'
require_relative 'transaction'

# An etcd cluster: tries endpoints in order, the next one when one fails, with a token if etcd requires one.
#
# When an endpoint accepted a request and never answered, all endpoints get the request once more. It must be safe to repeat.
class PuppetX::Trigger::Gateway
  ROUNDS = 2
  PAUSE = 1

  # @param settings [ClientSettings]
  # @param timeouts [Hash] of Endpoint, where its own are too long
  # @param rounds [Integer] how often all endpoints are asked
  # @return [Gateway]
  def self.from(settings, rounds: ROUNDS, **timeouts)
    tls = PuppetX::Trigger::Tls.new(settings)
    endpoints = settings.endpoints.map { |url| PuppetX::Trigger::Endpoint.new(url, tls: tls, **timeouts) }
    new(endpoints, settings, rounds: rounds)
  end

  # @param endpoints [Array<#post, #url>]
  # @param credentials [#username, #password, nil]
  # @param pause [Numeric] seconds before the second round
  def initialize(endpoints, credentials = nil, pause: PAUSE, rounds: ROUNDS)
    @endpoints = endpoints.dup
    @credentials = credentials
    @pause = pause
    @rounds = rounds
  end

  # @param transaction [Hash] from Transaction.build
  # @return [Transaction::Outcome]
  # @raise [PublishError] naming every endpoint, what happened there, and what to do; RefusedError where etcd does not
  #   want it, rather than being away
  def commit(transaction)
    PuppetX::Trigger::Transaction::Outcome.new(post('/v3/kv/txn', transaction))
  end

  # @param request [Hash] from Listing.request
  # @return [Hash] the answer
  # @raise [PublishError] as `commit`
  def range(request)
    post('/v3/kv/range', request)
  end

  private

  def post(path, body)
    failures = []
    @rounds.times do |round|
      sleep(@pause) if round.positive?
      answer = ask_each(path, body, failures)
      return answer if answer
      break if failures.none? { |_, failure| failure.uncertain? }
    end
    raise give_up(failures)
  end

  # The endpoint that answered comes first from now on.
  def ask_each(path, body, failures)
    @endpoints.each_with_index do |endpoint, index|
      answer = ask(endpoint, path, body)
      @endpoints.rotate!(index)
      return answer
    rescue PuppetX::Trigger::Failure => e
      failures << [endpoint, e]
      raise give_up(failures) if e.final?
    end
    nil
  end

  def ask(endpoint, path, body)
    endpoint.post(path, body, token: token(endpoint))
  rescue PuppetX::Trigger::Failure => e
    raise unless e.kind == :stale_token

    @token = nil
    endpoint.post(path, body, token: token(endpoint))
  end

  def token(endpoint)
    return unless @credentials&.username

    @token ||= authenticate(endpoint)
  end

  def authenticate(endpoint)
    body = { name: @credentials.username, password: @credentials.password }
    endpoint.post('/v3/auth/authenticate', body)['token']
  rescue PuppetX::Trigger::Failure => e
    raise unless e.message.include?('authentication is not enabled')
  end

  def give_up(failures)
    tried = failures.map { |endpoint, failure| "#{endpoint.url}: #{failure.message}" }.uniq
    hints = failures.filter_map { |_, failure| failure.hint }.uniq
    doubt = ' (etcd may have applied the request)' if failures.any? { |_, failure| failure.uncertain? }
    error = failures.last.last.final? ? PuppetX::Trigger::RefusedError : PuppetX::Trigger::PublishError
    error.new("#{tried.join('; ')}#{doubt}. #{hints.join('. ')}")
  end
end
