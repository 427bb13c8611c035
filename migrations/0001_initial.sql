-- Times are milliseconds since 1970; ids are the sixteen bytes of a UUID; words are those of the contract.
-- Rows refer to each other by number, without foreign keys: deliveries are deleted in batches, in code.

CREATE TABLE endpoints (
    row        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB NOT NULL UNIQUE,
    token      TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,                -- the endpoint as JSON
    deleting   INTEGER NOT NULL DEFAULT 0    -- its deliveries are being deleted; it is gone for everybody else
) STRICT;

CREATE TABLE signing_secrets (
    row        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    endpoint   INTEGER NOT NULL,             -- endpoints.row
    secret     ANY NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signing_secrets_endpoint ON signing_secrets (endpoint);

-- Slim: what a list shows. Heads and bodies stand apart, so that a list never reads past them.
CREATE TABLE deliveries (
    seq                 INTEGER PRIMARY KEY,
    id                  BLOB NOT NULL,
    endpoint            INTEGER NOT NULL,    -- endpoints.row
    provider            TEXT NOT NULL,
    event               TEXT NOT NULL,
    event_source        TEXT NOT NULL,
    dedupe_key          TEXT,
    dedupe_source       TEXT,
    verified            INTEGER NOT NULL,    -- 1: its signature was valid at arrival; never changed afterwards
    signature_status    TEXT NOT NULL,
    signature_reason    TEXT NOT NULL,
    status              TEXT NOT NULL,
    reason              TEXT,
    attempt_count       INTEGER NOT NULL DEFAULT 1,
    relay_attempt_count INTEGER NOT NULL,
    method              TEXT NOT NULL,
    path                TEXT NOT NULL,
    query               TEXT,
    content_type        TEXT,
    body_size           INTEGER NOT NULL,
    response_status     INTEGER,
    relay_status        INTEGER,
    relay_outcome       TEXT,
    relay_duration_ms   INTEGER,
    replayed_from       BLOB,
    duplicate_of        BLOB,
    pinned              INTEGER NOT NULL DEFAULT 0,
    error               TEXT,
    received_at         INTEGER NOT NULL,
    last_attempt_at     INTEGER NOT NULL,
    created_at          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint);
CREATE UNIQUE INDEX deliveries_dedupe ON deliveries (endpoint, verified, dedupe_key)
    WHERE dedupe_key IS NOT NULL AND status NOT IN ('rejected', 'failed', 'ignored', 'interrupted');
-- Rare states only: the common ones are found by walking back from the newest.
CREATE INDEX deliveries_unsettled ON deliveries (status)
    WHERE status IN ('queued', 'rejected', 'ignored', 'failed', 'interrupted');
CREATE INDEX deliveries_unsigned ON deliveries (signature_status) WHERE signature_status IN ('invalid', 'missing');
CREATE INDEX deliveries_replays ON deliveries (replayed_from) WHERE replayed_from IS NOT NULL;
CREATE INDEX deliveries_pinned ON deliveries (pinned) WHERE pinned = 1;

CREATE TABLE payloads (
    seq              INTEGER PRIMARY KEY,    -- deliveries.seq
    http_version     TEXT NOT NULL,
    remote_addr      TEXT,
    client_ip        TEXT,
    client_ip_source TEXT,
    public_url       TEXT,
    headers          BLOB NOT NULL,          -- lines `name: value` CR LF, as received
    response_headers BLOB,
    response_body    BLOB,
    body             BLOB NOT NULL           -- last, so that nothing else lies behind its overflow pages
) STRICT;

-- Second and later receipts; the first is the delivery itself.
CREATE TABLE arrivals (
    delivery         INTEGER NOT NULL,       -- deliveries.seq
    n                INTEGER NOT NULL,
    received_at      INTEGER NOT NULL,
    remote_addr      TEXT,
    client_ip        TEXT,
    headers          BLOB NOT NULL,
    signature_status TEXT NOT NULL,
    body_size        INTEGER NOT NULL,
    body             BLOB,                   -- null: the same as the delivery's
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    row              INTEGER PRIMARY KEY,    -- never reused: target queues remember how far they have read
    id               BLOB NOT NULL,
    delivery         INTEGER NOT NULL,       -- deliveries.seq
    n                INTEGER NOT NULL,
    target_id        BLOB,
    target_url       TEXT NOT NULL,
    force            INTEGER NOT NULL DEFAULT 0,
    outcome          TEXT NOT NULL,
    reason           TEXT,
    response_status  INTEGER,
    response_size    INTEGER,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    duration_ms      INTEGER,
    response_headers BLOB,
    response_body    BLOB
) STRICT;
CREATE UNIQUE INDEX attempts_id ON attempts (id);
CREATE INDEX attempts_delivery ON attempts (delivery);
CREATE INDEX attempts_waiting ON attempts (target_url) WHERE outcome = 'pending' AND started_at IS NULL;
CREATE INDEX attempts_started ON attempts (row) WHERE outcome = 'pending' AND started_at IS NOT NULL;

CREATE TABLE refusals (
    row         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          BLOB NOT NULL,
    at          INTEGER NOT NULL,
    endpoint_id BLOB,
    status      INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    method      TEXT,
    path        TEXT,
    body_size   INTEGER,
    remote_addr TEXT
) STRICT;

-- Idempotency keys of replays, kept for a day.
CREATE TABLE replay_keys (
    delivery     BLOB NOT NULL,              -- the replayed delivery's id
    key          TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    replay       BLOB NOT NULL,              -- the id of the delivery it made
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (delivery, key)
) STRICT, WITHOUT ROWID;

-- Exact totals without counting: kept in the transaction that changes them.
CREATE TABLE delivery_counts (
    endpoint INTEGER NOT NULL,
    status   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (endpoint, status)
) STRICT, WITHOUT ROWID;

-- `last_seq`, `last_attempt_row`: numbers handed out when rows were last deleted; they are never given twice.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL                      -- JSON
) STRICT, WITHOUT ROWID;
