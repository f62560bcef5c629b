-- Wall displays: how they are linked, the tokens they live on, and what happened in a family.

-- Nobody knows it of a session of before: whoever has one signs in again before they link a display.
ALTER TABLE web_sessions ADD COLUMN email_unverified INTEGER NOT NULL DEFAULT 1
    CHECK (email_unverified IN (0, 1));

-- A display of before has no key, so it can never sign in; it shows as expired until somebody ends
-- it. `idle_until` and `expires_at` are its two ends; `state` knows nothing of time.
CREATE TABLE displays (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    family_id BLOB NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    key BLOB CHECK (length(key) = 32),
    name TEXT NOT NULL,
    room TEXT,
    described_name TEXT NOT NULL,
    model TEXT NOT NULL,
    app_version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    linked_by BLOB REFERENCES members (id) ON DELETE SET NULL,
    linked_by_name TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    -- When a spent token of it came back, which ended it.
    reused_at INTEGER,
    UNIQUE (family_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO displays (id, family_id, name, room, described_name, model, app_version, state,
        linked_by_name, linked_at, idle_until, expires_at, last_seen_at)
    SELECT id, family_id, name, room, name, '', '', 'active', '', linked_at, linked_at, linked_at,
        last_seen_at
    FROM devices;
DROP TABLE devices;
ALTER TABLE displays RENAME TO devices;
-- One key, one display: those of other families end when it is linked.
CREATE INDEX devices_key ON devices (key);
CREATE INDEX devices_linker ON devices (linked_by);

-- `spent_at` is when a child of it was first used: whoever presents it later has stolen it, or was
-- stolen from. Spent ones are kept for a week, to tell.
CREATE TABLE device_tokens (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    device_id BLOB NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    refresh BLOB NOT NULL UNIQUE CHECK (length(refresh) = 32),
    parent BLOB,
    issued_at INTEGER NOT NULL,
    used_at INTEGER,
    spent_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_tokens_device ON device_tokens (device_id);
-- A token has one child.
CREATE UNIQUE INDEX device_tokens_parent ON device_tokens (parent) WHERE parent IS NOT NULL;
CREATE INDEX device_tokens_spent ON device_tokens (spent_at) WHERE spent_at IS NOT NULL;

-- Refers to nothing: what became of the family or of who said yes is asked when tokens are given.
-- A display that waits for its tokens is its `linked` row here, and gone with it.
CREATE TABLE links (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    device_code BLOB NOT NULL UNIQUE CHECK (length(device_code) = 32),
    user_code BLOB NOT NULL CHECK (length(user_code) = 32),
    qr BLOB NOT NULL UNIQUE CHECK (length(qr) = 32),
    key BLOB NOT NULL CHECK (length(key) = 32),
    described_name TEXT NOT NULL,
    model TEXT NOT NULL,
    app_version TEXT NOT NULL,
    network BLOB NOT NULL CHECK (length(network) = 32),
    state TEXT NOT NULL
        CHECK (state IN ('open', 'claimed', 'linked', 'redeemed', 'denied', 'replaced')),
    created_at INTEGER NOT NULL,
    lifetime_ms INTEGER NOT NULL,
    interval_ms INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Of the claim.
    challenge BLOB UNIQUE CHECK (length(challenge) = 16),
    number INTEGER CHECK (number BETWEEN 0 AND 99),
    account_id BLOB CHECK (length(account_id) = 16),
    family_id BLOB CHECK (length(family_id) = 16),
    claim_expires_at INTEGER,
    -- Of the confirmation.
    device_id BLOB CHECK (length(device_id) = 16),
    name TEXT,
    room TEXT,
    linked_by BLOB CHECK (length(linked_by) = 16),
    linked_by_name TEXT,
    linked_at INTEGER,
    device_expires_at INTEGER,
    -- Of the first tokens.
    redeemed_at INTEGER,
    CHECK (state <> 'claimed' OR (challenge IS NOT NULL AND number IS NOT NULL
        AND account_id IS NOT NULL AND family_id IS NOT NULL AND claim_expires_at IS NOT NULL)),
    CHECK (state NOT IN ('linked', 'redeemed') OR (family_id IS NOT NULL AND device_id IS NOT NULL
        AND name IS NOT NULL AND linked_by IS NOT NULL AND linked_by_name IS NOT NULL
        AND linked_at IS NOT NULL AND device_expires_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX links_code ON links (user_code);
CREATE INDEX links_key ON links (key);
CREATE INDEX links_end ON links (expires_at);
CREATE INDEX links_family ON links (family_id) WHERE state = 'linked';

-- Which families typed its code.
CREATE TABLE link_families (
    link_id BLOB NOT NULL REFERENCES links (id) ON DELETE CASCADE,
    family_id BLOB NOT NULL CHECK (length(family_id) = 16),
    PRIMARY KEY (link_id, family_id)
) STRICT, WITHOUT ROWID;

-- These refer to nothing either: that a family is gone is an event of it. The counter of a family
-- that is gone stays until its last event is forgotten.
CREATE TABLE event_counters (
    family_id BLOB NOT NULL PRIMARY KEY CHECK (length(family_id) = 16),
    latest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    family_id BLOB NOT NULL CHECK (length(family_id) = 16),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT,
    reason TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (family_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_age ON events (at);

CREATE TABLE used_once (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_end ON used_once (expires_at);
