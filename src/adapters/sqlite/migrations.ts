import type Database from 'better-sqlite3';
import { TriggerdError } from '../../domain/errors.ts';
import { pragma } from './statements.ts';

/**
 * Each entry takes a journal from version `index` to `index + 1` (`PRAGMA user_version`). Entries are never edited once
 * released: a journal on somebody's disk is a promise.
 *
 * - `place` orders the queued jobs of a queue; it is kept while a job runs, so that a deferred job returns to it.
 * - `waiting` counts what a queued job waits for: the jobs of `job_waits` that have not ended, and its time. It is 0 for one
 *   that may start: with it `head` is one index look-up. `after_id` is read no more.
 * - `job_waits` says which jobs a queued one waits for; `failure` is why one that must succeed has not.
 * - `counts` is kept by triggers, so that a summary of 100,000 jobs costs as much as one of ten.
 * - `file_…` is what was written to trigger files of a team: messages on their way or dead, the last outputs of each
 *   trigger, and how often this node has hit it. Neither are ids of messages unique by an index nor their numbers for ever: each
 *   would be one more page in the commit that a writer waits for.
 * - `since` is when a message began to wait; how long it may is the trigger's, when it is tried.
 * - `leftovers` are jobs whose rows are gone and whose folders may still be there.
 * - `output` and `output_index` are of requests to persistent plugins: all of theirs that fits, instead of files.
 * - `request_ids` remembers requests beyond their jobs: `key` is `<team>/<worker>/<user>/<id>`, `ending` is null while one runs.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'skipped')),
    place INTEGER NOT NULL,
    after_id INTEGER,
    waiting INTEGER NOT NULL DEFAULT 0,
    deferral TEXT,
    coalescing_key TEXT,
    source TEXT NOT NULL,
    request TEXT NOT NULL,
    command TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    enqueued_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    ending TEXT
  ) STRICT;
  CREATE INDEX jobs_queued ON jobs (queue, place) WHERE state = 'queued';
  CREATE INDEX jobs_ready ON jobs (queue, place) WHERE state = 'queued' AND waiting = 0 AND deferral IS NULL;
  CREATE INDEX jobs_deferred ON jobs (id) WHERE state = 'queued' AND deferral IS NOT NULL;
  CREATE INDEX jobs_waiting ON jobs (after_id) WHERE waiting = 1;
  CREATE INDEX jobs_coalescing ON jobs (coalescing_key, place) WHERE state = 'queued' AND coalescing_key IS NOT NULL;
  CREATE INDEX jobs_running ON jobs (started_at, id) WHERE state = 'running';
  CREATE INDEX jobs_ended ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;

  CREATE TABLE counts (
    queue TEXT NOT NULL, state TEXT NOT NULL, source TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (queue, state, source)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER jobs_counted AFTER INSERT ON jobs BEGIN
    INSERT INTO counts VALUES (new.queue, new.state, new.source, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER jobs_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    UPDATE counts SET n = n - 1 WHERE queue = old.queue AND state = old.state AND source = old.source;
    INSERT INTO counts VALUES (new.queue, new.state, new.source, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER jobs_uncounted AFTER DELETE ON jobs BEGIN
    UPDATE counts SET n = n - 1 WHERE queue = old.queue AND state = old.state AND source = old.source;
  END;

  CREATE TABLE firings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    job_id INTEGER,
    refusal TEXT,
    published TEXT,
    settled INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX firings_of_job ON firings (job_id, seq) WHERE job_id IS NOT NULL;
  CREATE INDEX firings_unsettled ON firings (seq) WHERE settled = 0;
  CREATE INDEX firings_received ON firings (received_at) WHERE settled = 1;

  CREATE TABLE queue_settings (
    queue TEXT PRIMARY KEY, paused INTEGER NOT NULL, slots INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE leftovers (job_id INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE request_ids (
    job_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    ending TEXT
  ) STRICT;
  CREATE TRIGGER requests_ended AFTER UPDATE OF ending ON jobs WHEN new.source = 'request' BEGIN
    UPDATE request_ids SET ending = new.ending WHERE job_id = new.id;
  END;
  `,
  `
  CREATE TABLE file_messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    team TEXT NOT NULL,
    definition INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    payload BLOB NOT NULL,
    written_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'dead')),
    reason TEXT
  ) STRICT;
  CREATE INDEX file_messages_of ON file_messages (team, definition, state, seq);
  CREATE TABLE file_outputs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    team TEXT NOT NULL,
    definition INTEGER NOT NULL,
    request TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    result TEXT NOT NULL,
    exit_code INTEGER,
    reason TEXT,
    worker TEXT,
    output BLOB NOT NULL
  ) STRICT;
  CREATE INDEX file_outputs_of ON file_outputs (team, definition, seq);
  CREATE TABLE file_hits (
    team TEXT NOT NULL, definition INTEGER NOT NULL, hits INTEGER NOT NULL, hit_at INTEGER NOT NULL,
    PRIMARY KEY (team, definition)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE jobs ADD COLUMN output BLOB;
  ALTER TABLE jobs ADD COLUMN output_index TEXT;
  CREATE INDEX jobs_with_output ON jobs (id) WHERE output_index IS NOT NULL;
  `,
  `
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    team TEXT NOT NULL,
    definition INTEGER NOT NULL,
    id TEXT NOT NULL,
    payload BLOB NOT NULL,
    since INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'dead')),
    reason TEXT
  ) STRICT;
  INSERT INTO messages SELECT seq, team, definition, id, payload, written_at, state, reason FROM file_messages;
  DROP TABLE file_messages;
  ALTER TABLE messages RENAME TO file_messages;
  CREATE INDEX file_messages_of ON file_messages (team, definition, state, seq);
  `,
  `
  CREATE TABLE job_waits (
    job_id INTEGER NOT NULL,
    on_id INTEGER NOT NULL,
    must_succeed INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    failure TEXT,
    PRIMARY KEY (job_id, on_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX job_waits_on ON job_waits (on_id) WHERE ended = 0;
  CREATE INDEX job_waits_failed ON job_waits (job_id) WHERE failure IS NOT NULL;
  INSERT INTO job_waits SELECT id, after_id, 0, 0, NULL FROM jobs WHERE waiting = 1 AND after_id IS NOT NULL;
  DROP INDEX jobs_waiting;
  ALTER TABLE jobs ADD COLUMN not_before INTEGER;
  ALTER TABLE jobs ADD COLUMN job_key TEXT;
  CREATE INDEX jobs_delayed ON jobs (not_before) WHERE not_before IS NOT NULL;
  CREATE INDEX jobs_keyed ON jobs (queue, job_key) WHERE state = 'queued' AND job_key IS NOT NULL;
  `,
];

export const journalVersion = migrations.length;

/** Brings the journal to this program's version. Throws `journal-newer` when it is beyond it. */
export const migrate = (db: Database.Database, file: string): void => {
  const version = Number(pragma(db, 'user_version'));
  if (version > journalVersion) {
    throw new TriggerdError('journal-newer', `${file} has version ${version}; this triggerd knows ${journalVersion}`, {
      details: { file, version, known: journalVersion },
    });
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(sql);
      pragma(db, `user_version = ${index + 1}`);
    })();
  }
};
