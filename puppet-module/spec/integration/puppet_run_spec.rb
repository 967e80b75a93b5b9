# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'

RSpec.describe 'a real run of Puppet' do
  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/r#{SecureRandom.hex(4)}" }
  let(:folder) { scratch_dir }

  def env(changes = {})
    { 'TRIGGERD_CLIENT_JSON' => client_json({ endpoints: [etcd.url], prefix: prefix }.merge(changes)) }
  end

  def apply(manifest, *flags, **options)
    PuppetRun.apply(manifest, *flags, folder: folder, env: env, **options)
  end

  def firings
    etcd.documents("#{prefix}/v1/firings").values
  end

  def inboxes
    etcd.documents("#{prefix}/v1/inbox")
  end

  def file(name, rest = '')
    "file { '#{folder}/#{name}': content => 'x', #{rest} }"
  end

  describe 'with three notifiers' do
    let(:manifest) do
      <<~PUPPET
        class app {
          #{file('in-class')}
          app::part { 'p': }
        }
        define app::part {
          file { '#{folder}/secret': content => Sensitive('hush-content') }
        }
        include app
        Class['app'] ~> Trigger['refresh load balancers']

        #{file('app.conf', "notify => Exec['reload']")}
        exec { 'reload':
          command     => '/bin/true',
          refreshonly => true,
          notify      => Trigger['refresh load balancers'],
        }
        exec { '/bin/echo once': creates => '#{folder}/app.conf', before => File['#{folder}/app.conf'], notify => Trigger['refresh load balancers'] }
        #{file('unrelated', "before => Trigger['refresh load balancers']")}

        trigger { 'refresh load balancers':
          hosts => ['LB01.example.com', 'lb02.example.com', 'lb01.example.com'],
          tag   => ['loadbalancer'],
        }
      PUPPET
    end

    it 'publishes and logs one firing, and nothing on the next run' do
      run = apply(manifest)
      expect(run.exit_code).to eq(2), run.output
      expect(firings.size).to eq(1)
      id = firings.first['id']
      expect(run.output).to include("fired #{id} to 2 nodes (lb01.example.com, lb02.example.com)")
        .and include("Triggered 'refresh' from 3 events")
      expect(inboxes).to eq(%w[lb01 lb02].to_h { |name| ["#{prefix}/v1/inbox/#{name}.example.com/#{id}", { 'format' => 1, 'firing' => id }] })
      expect(etcd.keys(prefix).size).to eq(3)

      again = apply(manifest)
      expect([again.exit_code, firings.size]).to eq([0, 1]), again.output
    end

    it 'writes a document of the documented shape that names the changes and their manifest lines' do
      apply(manifest)
      firing = firings.first
      expect(shape(firing.merge('origin' => firing['origin'].merge('causes' => firing['origin']['causes'].first(1)))))
        .to eq(shape(fixture('firing-puppet')))
      origin = firing['origin']
      expect(origin).to include('node' => 'web01.example.com', 'certname' => 'web01.example.com', 'environment' => 'production',
                                'resource' => 'Trigger[refresh load balancers]', 'causes_total' => 5)
      expect(origin['causes'].map { |cause| cause['resource'].sub(folder, '') })
        .to match_array(['File[/in-class]', 'File[/secret]', 'File[/app.conf]', 'Exec[/bin/echo once]', 'Exec[reload]'])
      expect(origin['causes']).to include(
        a_hash_including('resource' => "File[#{folder}/in-class]", 'file' => "#{folder}/site.pp", 'line' => 2, 'property' => 'ensure',
                         'message' => /\Adefined content as '\{sha256\}/),
      ).and include(
        a_hash_including('resource' => 'Exec[reload]', 'property' => nil, 'message' => "Triggered 'refresh' from 1 event"),
      )
      expect(origin['catalog_uuid']).to match(/\A\h{8}-(\h{4}-){3}\h{12}\z/)
      expect(origin['transaction_uuid']).to match(/\A\h{8}-(\h{4}-){3}\h{12}\z/)
      expect(firing['tags']).to eq(['loadbalancer'])
      expect(etcd.keys(prefix).values.join).not_to include('hush')
    end
  end

  it 'finds the causes behind classes, generated files and refreshed resources, and omits resources that only come before' do
    FileUtils.mkdir_p("#{folder}/source")
    FileUtils.touch(%w[one two].map { |name| "#{folder}/source/#{name}" })
    apply(<<~PUPPET)
      class tree { file { '#{folder}/copy': ensure => directory, recurse => true, source => '#{folder}/source' } }
      class service { exec { '/bin/true': refreshonly => true } exec { '/bin/false': refreshonly => true, noop => true } }
      class empty { }
      include tree, service, empty
      notify { 'before': before => [Class['service'], Trigger['t']] }
      notify { 'earlier': } -> notify { 'first': } ~> Class['service'] ~> Trigger['t']
      notify { 'dry': noop => true, notify => Trigger['t'] }
      notify { 'lost': } ~> Class['empty'] ~> Trigger['t']
      Class['tree'] ~> Trigger['t']
      trigger { 't': hosts => 'lb01' }
    PUPPET
    expect(firings.first['origin']['causes'].map { |cause| cause['resource'].sub(folder, '') }).to contain_exactly(
      'File[/copy]', 'File[/copy/one]', 'File[/copy/two]', 'Notify[first]', 'Exec[/bin/true]'
    )
  end

  it 'publishes nothing for a trigger that is only declared, or whose notifier did not change' do
    run = apply("trigger { 'a': hosts => 'lb01' } file { '#{folder}': ensure => directory, notify => Trigger['b'] } trigger { 'b': hosts => 'lb01' }")
    expect([run.exit_code, etcd.keys(prefix)]).to eq([0, {}]), run.output
  end

  it 'publishes nothing with --noop or for a noop notifier, and logs what it would do' do
    manifest = "#{file('f', "notify => Trigger['t']")} trigger { 't': hosts => 'lb01' }"
    run = apply(manifest, '--noop')
    expect(run.output).to include("Trigger[t]: Would have triggered 'refresh' from 1 event")
    run = apply("#{file('f', "noop => true, notify => Trigger['t']")} trigger { 't': hosts => 'lb01' }")
    expect(run.output).to include("Trigger[t]: Would have triggered 'refresh' from 1 event")
    expect(etcd.keys(prefix)).to eq({})
  end

  it 'fails the resource with require_publish when etcd is down, without showing the document' do
    port = EtcdServer.free_port
    run = apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01', require_publish => true, " \
                "endpoints => 'http://127.0.0.1:#{port}' } -> notify { 'after': }")
    expect(run.exit_code).to eq(6), run.output
    expect(run.output).to match(%r{
        Trigger\[t\]:\ Failed\ to\ call\ refresh:\ could\ not\ fire\ \w{26}\ to\ 1\ node\ \(lb01\):
        \ http://127\.0\.0\.1:#{port}:\ connection\ refused\.\ Check\ that\ etcd\ runs\ there
      }x)
      .and include('Skipping because of failed dependencies')
    expect(run.output).not_to match(%r{"format"|Traceback|trigger/\S*\.rb:\d+})
  end

  it 'uses the next endpoint if the first one is down' do
    run = apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01', " \
                "endpoints => ['http://127.0.0.1:#{EtcdServer.free_port}', '#{etcd.url}'] }")
    expect([run.exit_code, firings.size]).to eq([2, 1]), run.output
  end

  it 'accepts unusual titles, a string for hosts and quoted numbers, warns about empty hosts, and logs for dummy', :aggregate_failures do
    run = apply(<<~PUPPET, env: env.merge('LANG' => 'C', 'LC_ALL' => 'C'))
      notify { 'x': notify => Trigger['hosts', 'a/b c/../d', 'grüße', 'empty', 'dummy'] }
      trigger { ['hosts', 'a/b c/../d']: hosts => 'lb01', keyttl => '60', ttl => '3', plugin => 'command/command', args => { 'n' => 1 } }
      trigger { 'grüße': hosts => ['lb01', ['lb02']] }
      trigger { 'empty': hosts => [] }
      trigger { 'dummy': hosts => 'lb01', provider => dummy }
    PUPPET
    expect(run.exit_code).to eq(2), run.output
    expect(firings.map { |firing| firing['trigger'] }).to contain_exactly('hosts', 'a/b c/../d', 'grüße')
    expect(etcd.keys(prefix).size).to eq(3 + 4)
    hosts = firings.find { |firing| firing['trigger'] == 'hosts' }
    expect(hosts).to include('ttl' => 3, 'job' => { 'plugin' => 'command/command', 'args' => { 'n' => '1' } }, 'targets' => ['lb01'])
    expect(Time.iso8601(hosts['expires_at']) - Time.iso8601(hosts['created_at'])).to be_within(0.0001).of(60)
    expect(run.output).to match(/Warning: .*Trigger\[empty\].*hosts is empty: nothing fired/)
      .and match(/Trigger\[dummy\]: provider dummy: nothing fired to 1 node \(lb01\)/)
    expect(run.output).not_to include('multiple default providers')
  end

  it 'refuses a catalog with an invalid host name before it changes anything' do
    run = apply("#{file('f', "notify => Trigger['t']")} trigger { 't': hosts => ['lb01', 'lb02;reboot'] }")
    expect(run.exit_code).to eq(1), run.output
    expect(run.output).to include('Parameter hosts failed on Trigger[t]: "lb02;reboot" in hosts is not a host name: a host name has labels')
    expect(File).not_to exist(File.join(folder, 'f'))
  end

  it 'publishes to 300 nodes and names some of them' do
    run = apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => Integer[1, 300].map |$n| { \"node${n}\" } }")
    expect(run.output).to match(/fired \w{26} to 300 nodes \(node1, node2, node3, node4, node5, 295 more\)/)
    expect([firings.first['targets_total'], inboxes.size, etcd.keys("#{prefix}/v1/publishing")]).to eq([300, 300, {}])
  end

  it 'shortens a very long title and keeps line feeds' do
    apply("exec { \"/bin/true \\n# #{'x' * 5000}\": notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }")
    expect(firings.first['origin']['causes'].first['resource']).to match(%r{\AExec\[/bin/true \n# x+…\z}).and(satisfy { |text| text.length == 1000 })
  end

  it 'names 20 causes and the number of all' do
    apply("Integer[1, 25].each |$n| { notify { \"n${n}\": notify => Trigger['t'] } } trigger { 't': hosts => 'lb01' }")
    expect([firings.first['origin']['causes'].size, firings.first['origin']['causes_total']]).to eq([20, 25])
  end

  it 'refuses client settings with an unknown key, and names it' do
    run = PuppetRun.apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }", env: env(endpoint: 'x'))
    expect(run.exit_code).to eq(6), run.output
    expect(run.output).to match(/client\.json: unknown key 'endpoint'; known keys: endpoints/)
  end

  it 'lists no triggers' do
    run = PuppetRun.resource('trigger')
    expect([run.exit_code, run.output.scan(/^(?!Error: Facter).*\S.*$/)]).to eq([0, []]), run.output
  end

  describe 'of the class trigger::watch::etcd' do
    let(:manifest) do
      <<~PUPPET
        class { 'trigger::watch::etcd':
          config_file    => '#{folder}/etc/triggerd.toml',
          client_file    => '#{folder}/etc/client.json',
          endpoints      => ['#{etcd.url}'],
          keyprefix      => '#{prefix}',
          run_cmd        => 'puppet apply "/a b.pp"',
          state_dir      => '#{folder}/state',
          manage_service => false,
        }
      PUPPET
    end

    before { skip 'the files belong to root: run as root' unless Process.uid.zero? }

    it 'writes settings that the type reads, and changes nothing in a second run' do
      first = apply(manifest)
      expect(first.exit_code).to eq(2), first.output
      run = apply("#{manifest} notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }",
                  env: { 'TRIGGERD_CLIENT_JSON' => "#{folder}/etc/client.json" })
      expect([run.exit_code, firings.size]).to eq([2, 1]), run.output
      expect(File).to exist("#{folder}/state/spool")
      second = apply(manifest)
      expect(second.exit_code).to eq(0), second.output
    end
  end
end
