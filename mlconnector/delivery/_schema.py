"""The ledger's tables, form by form, in the types of SQLite; PostgreSQL's are put in their place there."""

from __future__ import annotations

__all__ = ["FORMS"]

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bindings (
    flow TEXT NOT NULL, system TEXT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY (flow, system)
) WITHOUT ROWID;
CREATE TABLE leases (
    sync TEXT PRIMARY KEY, token TEXT NOT NULL, worker TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE cursors (sync TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE heads (
    sync TEXT NOT NULL, usage TEXT NOT NULL, key TEXT NOT NULL,
    latest INTEGER NOT NULL, latest_content TEXT NOT NULL,
    base INTEGER NOT NULL DEFAULT 0, base_content TEXT, target_id TEXT, sequence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sync, usage, key)
) WITHOUT ROWID;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, sync TEXT NOT NULL, usage TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    revision INTEGER NOT NULL, content TEXT NOT NULL, fingerprint TEXT NOT NULL, stamp TEXT, document TEXT NOT NULL,
    state TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', faults TEXT NOT NULL DEFAULT '[]',
    cause TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', action TEXT NOT NULL DEFAULT '',
    sequence INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0, forced INTEGER NOT NULL DEFAULT 0,
    step TEXT, steps TEXT NOT NULL DEFAULT '[]', done TEXT NOT NULL DEFAULT '[]',
    payload BLOB, payload_form TEXT NOT NULL DEFAULT '', marker TEXT, interchange INTEGER, control_group INTEGER,
    counters TEXT NOT NULL DEFAULT '', target_id TEXT, token TEXT NOT NULL DEFAULT '',
    settle_at REAL, doubtful_since REAL, described TEXT NOT NULL DEFAULT '{}',
    recorded_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (sync, usage, key, revision)
);
CREATE INDEX deliveries_by_state ON deliveries (sync, state);
CREATE INDEX deliveries_by_key ON deliveries (key);
CREATE TABLE waiting (
    sync TEXT NOT NULL, key TEXT NOT NULL, reasons TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (sync, key)
) WITHOUT ROWID;
CREATE TABLE attention (
    id INTEGER PRIMARY KEY, sync TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
    since TEXT NOT NULL, owner TEXT NOT NULL DEFAULT '', closed TEXT
);
CREATE TABLE counters (name TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE crosswalk (
    kind TEXT NOT NULL, system TEXT NOT NULL, id TEXT NOT NULL, link INTEGER NOT NULL, PRIMARY KEY (kind, system, id)
) WITHOUT ROWID;
CREATE INDEX crosswalk_by_link ON crosswalk (kind, link);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, token TEXT NOT NULL, event TEXT NOT NULL,
    sync TEXT NOT NULL, key TEXT NOT NULL, facts TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX audit_by_key ON audit (key);
"""

_INBOUND = """
ALTER TABLE deliveries ADD COLUMN partner_state TEXT NOT NULL DEFAULT '';
CREATE INDEX heads_by_target ON heads (sync, target_id);
CREATE TABLE transmissions (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, interchange_counter TEXT NOT NULL, group_counter TEXT NOT NULL,
    interchange INTEGER NOT NULL, control_group INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE INDEX transmissions_by_group ON transmissions (group_counter, control_group);
CREATE INDEX transmissions_by_interchange ON transmissions (interchange_counter, interchange);
CREATE TABLE inbox_files (
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, content BLOB NOT NULL,
    stored_at TEXT NOT NULL
);
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY, box TEXT NOT NULL, identity TEXT NOT NULL, hash TEXT NOT NULL,
    file TEXT NOT NULL, part INTEGER NOT NULL, code TEXT NOT NULL, sender TEXT NOT NULL, receiver TEXT NOT NULL,
    business_key TEXT NOT NULL, stamp TEXT NOT NULL, facts TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, stored_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (box, identity, hash)
);
CREATE INDEX inbox_by_state ON inbox (box, state);
CREATE TABLE owed (
    id INTEGER PRIMARY KEY, box TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL, facts TEXT NOT NULL,
    stored_at TEXT NOT NULL, UNIQUE (box, name)
);
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, sync TEXT NOT NULL, usage TEXT NOT NULL, key TEXT NOT NULL,
    code TEXT NOT NULL, verdict TEXT NOT NULL, stamp TEXT NOT NULL, differences TEXT NOT NULL, applied INTEGER NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX answers_by_key ON answers (sync, key);
"""

_DESK = """
CREATE TABLE crosswalk_waiting (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, action TEXT NOT NULL, ids TEXT NOT NULL, actor TEXT NOT NULL,
    reason TEXT NOT NULL, since TEXT NOT NULL
);
CREATE TABLE owners (
    sync TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (sync, key)
) WITHOUT ROWID;
"""

_KEEPING = """
CREATE TABLE holds (
    key TEXT PRIMARY KEY, reason TEXT NOT NULL, actor TEXT NOT NULL, since TEXT NOT NULL
) WITHOUT ROWID;
ALTER TABLE deliveries ADD COLUMN forgotten TEXT NOT NULL DEFAULT '';
CREATE INDEX inbox_by_key ON inbox (business_key);
CREATE INDEX inbox_by_work ON inbox (box, state, code, updated_at);
CREATE INDEX owed_by_time ON owed (box, stored_at);
CREATE INDEX attention_by_key ON attention (sync, key);
"""

FORMS = (_FIRST, _INBOUND, _DESK, _KEEPING)
"""Statements that lead from one form to the next; a ledger's form is how many of them it has."""
