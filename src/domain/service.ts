/** How a service gives a request to its workers: to the next with a free slot, to all in turn, to all at once. */
export type Algorithm = 'roundrobin' | 'serial' | 'mirror';

/** Whether a request whose worker was lost is given to another one although it may have started. */
export type Retry = 'if-unstarted' | 'always';

/** Who may use what: its owner, every member of its team, every user of the installation. */
export type Visibility = 'local' | 'team' | 'public';
