# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'

RSpec.describe 'a trigger that fires when the run has finished' do
  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/e#{SecureRandom.hex(4)}" }
  let(:folder) { scratch_dir }
  let(:settings) { { endpoints: [etcd.url], prefix: prefix, spool: spool_path } }
  let(:env) { { 'TRIGGERD_CLIENT_JSON' => client_json(settings) } }

  # `rest` comes after the trigger.
  def manifest(rest = '')
    "notify { 'x': } ~> trigger { 't': hosts => 'lb01', apply => finished } #{rest}"
  end

  def apply(text, *flags)
    PuppetRun.apply(text, *flags, folder: folder, env: env)
  end

  def firings
    etcd.documents("#{prefix}/v1/firings").values
  end

  def position(text, output)
    output.index(text) || raise("no #{text} in #{output}")
  end

  it 'fires after all other resources, with the causes, and is in the report' do
    run = apply(manifest("-> notify { 'after': }"))
    expect([run.exit_code, firings.size]).to eq([2, 1]), run.output
    id = firings.first['id']
    expect(position("fired #{id} to 1 node", run.output)).to be > position('Applied catalog', run.output)
    expect(firings.first['origin']).to include('causes_total' => 1, 'resource' => 'Trigger[t]')
    report = File.read(File.join(folder, 'vardir/state/last_run_report.yaml'))
    expect(report).to include("fired #{id} to 1 node").and match(/^status: changed$/)
    expect(report).not_to include('at_end_of_run')
  end

  it 'fires all triggers of a run', :acceptance do
    run = apply("notify { 'x': notify => Trigger['a', 'b'] } trigger { ['a', 'b']: hosts => 'lb01', apply => 'finished' }")
    expect([run.exit_code, firings.map { |firing| firing['trigger'] }.sort]).to eq([2, %w[a b]]), run.output
  end

  it 'leaves its firing in the spool if etcd is down at the end of the run' do
    run = apply(manifest.sub("'lb01'", "'lb01', endpoints => 'http://127.0.0.1:1'"))
    expect([run.exit_code, spooled.grep(/json\z/).size]).to eq([2, 1]), run.output
    expect(run.output).to match(/Warning: .*Trigger\[t\]: could not fire \w{26} to 1 node \(lb01\) yet/)
  end

  it 'fails the run if it can neither fire nor spool' do
    settings.replace(endpoints: ['http://127.0.0.1:1'], spool: __FILE__)
    run = apply(manifest)
    expect(run.exit_code).to eq(6), run.output
    expect(run.output).to match(/Error: .*Trigger\[t\]: could not fire \w{26} .*The firing is not in the spool either/)
    expect(File.read(File.join(folder, 'vardir/state/last_run_report.yaml'))).to match(/^status: failed$/)
  end

  {
    "exec { '/bin/false': }" => %r{nothing fired: this run failed \(Exec\[/bin/false\]\)},
    "exec { '/bin/false': } exec { 'echo': path => '/nowhere' }" => /nothing fired: this run failed \(Exec\[.*\], and 1 more\)/,
    "exec { '/bin/false': refreshonly => true, subscribe => Notify['x'] }" => %r{nothing fired: this run failed \(Exec\[/bin/false\]\)},
  }.each do |rest, words|
    it "fires nothing and logs the reason when the run fails in #{rest}" do
      run = apply(manifest(rest))
      expect(run.output).to match(/Warning: .*Trigger\[t\]: #{words}/)
      expect([etcd.keys(prefix), spooled]).to eq([{}, []])
    end
  end

  it 'fires nothing when Puppet could not generate resources' do
    type = File.join(MODULES, 'broken/lib/puppet/type/broken_generator.rb')
    FileUtils.mkdir_p(File.dirname(type))
    File.write(type, "Puppet::Type.newtype(:broken_generator) { newparam(:name); def generate; raise 'no' end }")
    run = apply(manifest("broken_generator { 'b': }"))
    expect(run.output).to match(/Warning: .*nothing fired: this run failed \(resources could not be generated\)/)
    expect(etcd.keys(prefix)).to eq({})
  end

  it 'fires nothing when postrun_command fails', :acceptance do
    run = apply(manifest, '--postrun_command', '/bin/false')
    expect(run.exit_code).to eq(1), run.output
    expect(run.output).to match(/Warning: .*nothing fired: this run failed \(postrun_command\)/)
    expect(etcd.keys(prefix)).to eq({})
  end

  it 'fires nothing when the run is interrupted', :acceptance do
    run = PuppetRun.start(manifest("-> exec { '/bin/sh -c \"touch #{folder}/there; exec sleep 60\"': }"), folder: folder, env: env)
    eventually('the last resource') { File.exist?(File.join(folder, 'there')) }
    run.signal('INT')
    run.finish
    expect(run.output).to match(/Warning: .*Trigger\[t\]: nothing fired: this run did not complete/)
    expect(etcd.keys(prefix)).to eq({})
  end

  describe 'in a run of the agent' do
    def agent(text)
      Agent.new(text, folder, env)
    end

    it 'fires after all other resources' do
      run = agent(manifest).run
      expect([run.exit_code, firings.size]).to eq([2, 1]), run.output
      expect(position('fired ', run.output)).to be > position('Applied catalog', run.output)
    end

    it 'fires nothing when the run fails', :acceptance do
      run = agent(manifest("exec { '/bin/false': }")).run
      expect(run.exit_code).to eq(6), run.output
      expect(run.output).to match(%r{nothing fired: this run failed \(Exec\[/bin/false\]\)})
      expect(etcd.keys(prefix)).to eq({})
    end

    it 'fires once for each run that a resident agent forks', :acceptance do
      agent(manifest).start('--runinterval', '1')
      eventually('two firings') { firings.size >= 2 }
      expect(firings.map { |firing| firing['origin']['transaction_uuid'] }.uniq.size).to eq(firings.size)
    end
  end

  it 'fires nothing with --noop or without a notification', :acceptance do
    expect(apply(manifest, '--noop').output).to include('Trigger[t]: would have triggered 1 node (lb01)')
    expect(apply("trigger { 't': hosts => 'lb01', apply => finished }").exit_code).to eq(0)
    expect(etcd.keys(prefix)).to eq({})
  end

  %w[wait require_publish].each do |name|
    it "refuses the parameter #{name}" do
      run = apply(manifest.sub("'lb01'", "'lb01', #{name} => true"))
      expect(run.exit_code).to eq(1), run.output
      expect(run.output).to match(/#{name} does not work with apply => finished, which fires after the run/)
    end
  end
end
