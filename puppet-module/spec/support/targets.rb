# frozen_string_literal: true

require 'json'

# Writes what targets would say about a firing, as docs/reference/keyspace.md has it.
class Targets
  def initialize(etcd, prefix)
    @etcd = etcd
    @prefix = prefix
  end

  # @return [String, nil] id of the only firing
  def firing
    @etcd.keys("#{@prefix}/v1/firings").keys.first&.split('/')&.last
  rescue RuntimeError
    nil # etcd is away
  end

  def say(node, values, id: firing)
    outcome = { format: 1, firing: id, node: node, stage: 'finished', result: nil, exit_code: nil, signal: nil, reason: nil, details: {} }
    @etcd.etcdctl('put', "#{@prefix}/v1/outcomes/#{id}/#{node}", JSON.generate(outcome.merge(values)))
  end

  def succeed(node, exit_code = 0)
    say(node, { result: 'succeeded', exit_code: exit_code })
  end
end
