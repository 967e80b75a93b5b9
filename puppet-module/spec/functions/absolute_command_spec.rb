# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger::absolute_command' do
  {
    'puppet agent --test' => 'puppet agent --test',
    'puppet apply manifest.pp' => 'puppet apply /c/manifest.pp',
    'puppet apply ./a/../manifest.pp' => 'puppet apply /c/manifest.pp',
    'puppet apply /etc/puppet/manifests/site.pp' => 'puppet apply /etc/puppet/manifests/site.pp',
    'sudo -u deploy /opt/puppetlabs/bin/puppet apply  --environment test "it is.pp" -v' =>
      'sudo -u deploy /opt/puppetlabs/bin/puppet apply  --environment test "/c/it is.pp" -v',
    "puppet apply 'say \"x\".pp'" => "puppet apply '/c/say \"x\".pp'",
    'puppet apply --modulepath /a:/b --confdir=/e m.pp' => 'puppet apply --modulepath /a:/b --confdir=/e /c/m.pp',
    "puppet apply -e 'include site.pp'" => "puppet apply -e 'include site.pp'",
    'puppet apply --execute site.pp' => 'puppet apply --execute site.pp',
    'sh -c "cd /srv && puppet apply manifest.pp"' => 'sh -c "cd /srv && puppet apply manifest.pp"',
    'env A=./b puppet apply m.pp' => 'env A=./b puppet apply /c/m.pp',
    'puppet agent m.pp' => 'puppet agent m.pp',
  }.each do |command, meant|
    it { is_expected.to run.with_params(command, '/c').and_return(meant) }
  end

  {
    'bin/run' => 'bin/run',
    '../run now' => '../run',
    'puppet apply --modulepath modules m.pp' => 'modules',
    'puppet apply --modulepath=/a:modules m.pp' => 'modules',
    'puppet apply --confdir . m.pp' => '.',
  }.each do |command, path|
    it { is_expected.to run.with_params(command, '/c').and_raise_error(ArgumentError, /relative path “#{Regexp.escape(path)}”/) }
  end
end
