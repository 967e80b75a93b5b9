# A node that other nodes can trigger, with a broker and a worker.
# `trigger worker add demo01` shows the worker's token. In production, keep the token in encrypted Hiera data.
# The plugin `log` writes only below /var/log, because anyone who could choose its file freely could become root.
# One Sensitive value makes the whole file secret: only root and the group `triggerd` can read it.
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
