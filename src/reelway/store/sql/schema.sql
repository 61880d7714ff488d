-- Drawn from schema.py by `python -m reelway.store.schema`; a test fails when it lags.

CREATE TABLE api_keys (
	id TEXT NOT NULL,
	tenant TEXT NOT NULL,
	name TEXT NOT NULL,
	hash TEXT NOT NULL,
	hint TEXT NOT NULL,
	scopes TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	expires_at DOUBLE,
	revoked_at DOUBLE,
	CONSTRAINT api_keys_pk PRIMARY KEY (id),
	CONSTRAINT api_keys_hash_key UNIQUE (hash)
);

CREATE TABLE batches (
	writer TEXT NOT NULL,
	number BIGINT NOT NULL,
	at DOUBLE NOT NULL,
	CONSTRAINT batches_pk PRIMARY KEY (writer)
);

CREATE TABLE characters (
	id TEXT NOT NULL,
	tenant TEXT NOT NULL,
	key_id TEXT NOT NULL,
	name TEXT NOT NULL,
	pictures BLOB NOT NULL,
	created_at DOUBLE NOT NULL,
	CONSTRAINT characters_pk PRIMARY KEY (id)
);

CREATE INDEX characters_by_tenant ON characters (tenant, id);

CREATE TABLE entries (
	job_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	tenant TEXT NOT NULL,
	key_id TEXT NOT NULL,
	amount BIGINT NOT NULL,
	at DOUBLE NOT NULL,
	CONSTRAINT entries_pk PRIMARY KEY (job_id, kind),
	CONSTRAINT entries_known_kind CHECK (kind IN ('reserve', 'settle', 'release', 'doubt', 'loss')),
	CONSTRAINT entries_amount_not_negative CHECK (amount >= 0)
)
 WITHOUT ROWID;

CREATE INDEX entries_in_doubt ON entries (job_id) WHERE kind = 'doubt';

CREATE UNIQUE INDEX entries_one_end ON entries (job_id) WHERE kind IN ('settle', 'release');

CREATE TABLE errands (
	id TEXT NOT NULL,
	job_id TEXT,
	work BLOB NOT NULL,
	created_at DOUBLE NOT NULL,
	due_at DOUBLE,
	tries INTEGER NOT NULL,
	last_answer TEXT,
	CONSTRAINT errands_pk PRIMARY KEY (id)
);

CREATE INDEX errands_by_job ON errands (job_id) WHERE job_id IS NOT NULL;

CREATE INDEX errands_due ON errands (due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE facts (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT facts_pk PRIMARY KEY (name)
);

CREATE TABLE idempotency (
	key_id TEXT NOT NULL,
	"key" TEXT NOT NULL,
	body_hash TEXT NOT NULL,
	job_id TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	expires_at DOUBLE NOT NULL,
	sending INTEGER,
	CONSTRAINT idempotency_pk PRIMARY KEY (key_id, "key")
)
 WITHOUT ROWID;

CREATE INDEX idempotency_expiring ON idempotency (expires_at);

CREATE TABLE jobs (
	id TEXT NOT NULL,
	tenant TEXT NOT NULL,
	key_id TEXT NOT NULL,
	parent TEXT,
	take INTEGER NOT NULL,
	state TEXT NOT NULL,
	owner TEXT,
	epoch BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	due_at DOUBLE NOT NULL,
	deadline_at DOUBLE NOT NULL,
	model TEXT NOT NULL,
	end_user TEXT,
	client_reference TEXT,
	mode TEXT NOT NULL,
	account TEXT,
	operation_key TEXT,
	completed_at DOUBLE,
	expires_at DOUBLE,
	expired INTEGER NOT NULL,
	cancel_requested_at DOUBLE,
	record BLOB NOT NULL,
	CONSTRAINT jobs_pk PRIMARY KEY (id),
	CONSTRAINT jobs_known_state CHECK (state IN ('completed', 'failed', 'cancelled') OR state IN ('queued', 'submitting', 'running', 'collecting')),
	CONSTRAINT jobs_final_has_no_owner CHECK (owner IS NULL OR state IN ('queued', 'submitting', 'running', 'collecting')),
	CONSTRAINT jobs_unowned_has_no_epoch CHECK (owner IS NOT NULL OR epoch = 0 OR state IN ('completed', 'failed', 'cancelled')),
	CONSTRAINT jobs_parent_fk FOREIGN KEY(parent) REFERENCES jobs (id)
);

CREATE INDEX jobs_by_epoch ON jobs (epoch, due_at, id) WHERE state IN ('queued', 'submitting', 'running', 'collecting');

CREATE UNIQUE INDEX jobs_by_operation ON jobs (account, operation_key) WHERE operation_key IS NOT NULL;

CREATE INDEX jobs_by_parent ON jobs (parent) WHERE parent IS NOT NULL;

CREATE INDEX jobs_by_reference ON jobs (tenant, client_reference) WHERE client_reference IS NOT NULL;

CREATE INDEX jobs_by_tenant ON jobs (tenant, id) WHERE parent IS NULL;

CREATE INDEX jobs_cancelling ON jobs (epoch) WHERE cancel_requested_at IS NOT NULL AND state IN ('queued', 'submitting', 'running', 'collecting');

CREATE INDEX jobs_completed ON jobs (model, completed_at) WHERE state = 'completed';

CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND expired = 0;

CREATE INDEX jobs_under_way_by_key ON jobs (tenant, key_id) WHERE parent IS NULL AND state IN ('queued', 'submitting', 'running', 'collecting');

CREATE INDEX jobs_under_way_by_user ON jobs (tenant, end_user) WHERE end_user IS NOT NULL AND parent IS NULL AND state IN ('queued', 'submitting', 'running', 'collecting');

CREATE INDEX jobs_unfinished ON jobs (created_at, id, state, parent) WHERE state IN ('queued', 'submitting', 'running', 'collecting');

CREATE TABLE messages (
	id TEXT NOT NULL,
	video_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	tenant TEXT NOT NULL,
	type TEXT NOT NULL,
	url TEXT NOT NULL,
	body TEXT NOT NULL,
	created_at DOUBLE NOT NULL,
	due_at DOUBLE,
	tries INTEGER NOT NULL,
	delivered_at DOUBLE,
	last_answer TEXT,
	CONSTRAINT messages_pk PRIMARY KEY (id),
	CONSTRAINT messages_known_type CHECK (type IN ('video.queued', 'video.in_progress', 'video.completed', 'video.failed')),
	CONSTRAINT messages_delivered_is_not_due CHECK (delivered_at IS NULL OR due_at IS NULL)
);

CREATE INDEX messages_by_video ON messages (video_id, seq);

CREATE INDEX messages_due ON messages (due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE nodes (
	node TEXT NOT NULL,
	epoch BIGINT NOT NULL,
	lease_until DOUBLE NOT NULL,
	host TEXT NOT NULL,
	process_id INTEGER NOT NULL,
	version TEXT NOT NULL,
	role TEXT NOT NULL,
	started_at DOUBLE NOT NULL,
	draining_at DOUBLE,
	CONSTRAINT nodes_pk PRIMARY KEY (node),
	CONSTRAINT nodes_known_role CHECK (role IN ('all', 'api', 'worker')),
	CONSTRAINT nodes_epoch_key UNIQUE (epoch)
);

CREATE TABLE tombstones (
	job_id TEXT NOT NULL,
	tenant TEXT NOT NULL,
	deleted_at DOUBLE NOT NULL,
	account TEXT,
	operation_key TEXT,
	CONSTRAINT tombstones_pk PRIMARY KEY (job_id)
);

CREATE INDEX tombstones_by_operation ON tombstones (account, operation_key) WHERE operation_key IS NOT NULL;

CREATE TABLE events (
	job_id TEXT NOT NULL,
	seq INTEGER NOT NULL,
	at DOUBLE NOT NULL,
	state TEXT NOT NULL,
	name TEXT NOT NULL,
	detail BLOB,
	CONSTRAINT events_pk PRIMARY KEY (job_id, seq),
	CONSTRAINT events_job_id_fk FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE testimonies (
	job_id TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	record BLOB NOT NULL,
	CONSTRAINT testimonies_pk PRIMARY KEY (job_id, attempt),
	CONSTRAINT testimonies_job_id_fk FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0001');
