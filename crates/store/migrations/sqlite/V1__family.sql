-- People, families, and what belongs to them. Ids are UUIDs of 16 bytes, which sort by age; times
-- are Unix ms; secrets are hashes. A row that has ended is as good as gone: every statement asks,
-- and the sweep only makes room.

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    created_at INTEGER NOT NULL,
    not_before INTEGER,
    standing_changed_at INTEGER,
    last_seen_at INTEGER,
    UNIQUE (tenant, object)
) STRICT, WITHOUT ROWID;

CREATE TABLE families (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A member without an account is a child's managed profile.
CREATE TABLE members (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    family_id BLOB NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    account_id BLOB REFERENCES accounts (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL
        CHECK (role IN ('owner', 'admin', 'adult', 'teen', 'child', 'caregiver')),
    state TEXT NOT NULL CHECK (state IN ('active', 'deactivated')),
    joined_at INTEGER NOT NULL,
    CHECK (account_id IS NOT NULL OR role = 'child')
) STRICT, WITHOUT ROWID;
-- An account is in one family at most.
CREATE UNIQUE INDEX members_account ON members (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX members_family ON members (family_id);

-- Accepted and withdrawn ones are deleted: the log remembers them.
CREATE TABLE invites (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    family_id BLOB NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    role TEXT NOT NULL
        CHECK (role IN ('owner', 'admin', 'adult', 'teen', 'child', 'caregiver')),
    code BLOB NOT NULL UNIQUE CHECK (length(code) = 32),
    invited_by BLOB NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_family ON invites (family_id);
CREATE INDEX invites_maker ON invites (invited_by);

CREATE TABLE notes (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    family_id BLOB NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    author BLOB REFERENCES members (id) ON DELETE SET NULL,
    author_name TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_family ON notes (family_id);
CREATE INDEX notes_author ON notes (author);

CREATE TABLE devices (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    family_id BLOB NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    room TEXT,
    linked_at INTEGER NOT NULL,
    last_seen_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_family ON devices (family_id);

CREATE TABLE pending_sign_ins (
    state BLOB NOT NULL PRIMARY KEY CHECK (length(state) = 32),
    browser BLOB NOT NULL CHECK (length(browser) = 32),
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    issuer TEXT NOT NULL,
    return_to TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE web_sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    account_id BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_agent TEXT NOT NULL,
    auth_time INTEGER,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle_ms INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX web_sessions_account ON web_sessions (account_id);

CREATE TABLE attempts (
    bucket TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_bucket ON attempts (bucket, at);

-- The log refers to nothing, for it outlives what it tells of.
CREATE TABLE audit (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at INTEGER NOT NULL,
    family_id BLOB,
    actor_kind TEXT NOT NULL
        CHECK (actor_kind IN ('account', 'display', 'connector', 'system')),
    actor_id BLOB,
    actor_name TEXT,
    network TEXT NOT NULL CHECK (network IN ('loopback', 'private', 'public')),
    action TEXT NOT NULL,
    subject TEXT,
    subject_name TEXT,
    outcome TEXT NOT NULL,
    detail TEXT,
    CHECK ((actor_kind IN ('account', 'display')) = (actor_id IS NOT NULL)),
    CHECK ((actor_id IS NULL) = (actor_name IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_family ON audit (family_id, id);
-- Whether something had this id before.
CREATE INDEX audit_subject ON audit (family_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX audit_actor ON audit (actor_id, id);

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows');
END;
CREATE TRIGGER audit_never_forgets BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows');
END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_never_replaces BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows');
END;
