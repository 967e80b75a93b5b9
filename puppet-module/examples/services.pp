# A node that Puppet wakes, and that is a broker with a worker beside it. `trigger worker add demo01` has shown the token; in earnest
# it comes from encrypted Hiera data. `log` writes below /var/log only: whoever could choose its file freely would be root. One value that is Sensitive makes the whole file so: only root and the group `triggerd` read it.
class { 'trigger::watch::etcd':
  endpoints => ['https://etcd.example.com:2379'],
  settings  => {
    'broker'  => { 'listen' => 'tcp://0.0.0.0:5555' },
    'workers' => {
      'allow' => ['monitor', 'log'],
      'team1' => {
        'demo01' => { 'token' => Sensitive('9b1bd278-e645-4eec-bffb-0587ad84534e') },
      },
    },
  },
}
