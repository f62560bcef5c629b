-- Wall displays: how they are linked, the tokens they live on, and what happened in a family.

-- Nobody knows it of a session of before: whoever has one signs in again before they link a display.
ALTER TABLE web_sessions ADD COLUMN email_unverified boolean NOT NULL DEFAULT true;

-- Beside `devices`, which stays as it was: a program of V1 that still runs asks it, and would fail
-- at a table that suddenly is another one. A display of before has no key, so it can never sign in;
-- it shows as expired until somebody ends it. `state` knows nothing of time: `idle_until` and
-- `expires_at` are the two ends of a display.
CREATE TABLE displays (
    id             uuid PRIMARY KEY,
    family_id      uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    key            bytea CHECK (length(key) = 32),
    name           text NOT NULL,
    room           text,
    described_name text NOT NULL,
    model          text NOT NULL,
    app_version    text NOT NULL,
    state          text NOT NULL CHECK (state IN ('active', 'revoked')),
    linked_by      uuid REFERENCES members ON DELETE SET NULL,
    linked_by_name text NOT NULL,
    linked_at      bigint NOT NULL,
    idle_until     bigint NOT NULL,
    expires_at     bigint NOT NULL,
    last_seen_at   bigint,
    -- When a spent token of it came back, which ended it.
    reused_at      bigint,
    -- A display keeps its place.
    UNIQUE (family_id, key)
);
INSERT INTO displays (id, family_id, name, room, described_name, model, app_version, state,
        linked_by_name, linked_at, idle_until, expires_at, last_seen_at)
    SELECT id, family_id, name, room, name, '', '', 'active', '', linked_at, linked_at, linked_at,
        last_seen_at
    FROM devices;
-- One key, one display: those of other families end when it is linked.
CREATE INDEX displays_key ON displays (key);
CREATE INDEX displays_linker ON displays (linked_by);

-- `spent_at` is when a child of it was first used: whoever presents it later has stolen it, or was
-- stolen from. Spent ones are kept for a week, to tell.
CREATE TABLE device_tokens (
    id         uuid PRIMARY KEY,
    device_id  uuid NOT NULL REFERENCES displays ON DELETE CASCADE,
    refresh    bytea NOT NULL UNIQUE CHECK (length(refresh) = 32),
    parent     uuid,
    issued_at  bigint NOT NULL,
    used_at    bigint,
    spent_at   bigint
);
CREATE INDEX device_tokens_device ON device_tokens (device_id);
-- A token has one child: whatever goes wrong, there are never two live branches.
CREATE UNIQUE INDEX device_tokens_parent ON device_tokens (parent) WHERE parent IS NOT NULL;
CREATE INDEX device_tokens_spent ON device_tokens (spent_at) WHERE spent_at IS NOT NULL;

-- Refers to nothing: what became of the family or of who said yes is asked when tokens are given.
-- A display that waits for its tokens is its `linked` row here, and gone with it.
CREATE TABLE links (
    id                uuid PRIMARY KEY,
    device_code       bytea NOT NULL UNIQUE CHECK (length(device_code) = 32),
    user_code         bytea NOT NULL CHECK (length(user_code) = 32),
    qr                bytea NOT NULL UNIQUE CHECK (length(qr) = 32),
    key               bytea NOT NULL CHECK (length(key) = 32),
    described_name    text NOT NULL,
    model             text NOT NULL,
    app_version       text NOT NULL,
    network           bytea NOT NULL CHECK (length(network) = 32),
    state             text NOT NULL
        CHECK (state IN ('open', 'claimed', 'linked', 'redeemed', 'denied', 'replaced')),
    created_at        bigint NOT NULL,
    lifetime          bigint NOT NULL,
    expires_at        bigint NOT NULL,
    -- The least time between two polls, and the last one.
    poll_interval     bigint NOT NULL,
    polled_at         bigint,
    -- Of the claim.
    challenge         uuid UNIQUE,
    number            smallint CHECK (number BETWEEN 0 AND 99),
    account_id        uuid,
    family_id         uuid,
    claim_expires_at  bigint,
    -- Of the confirmation.
    device_id         uuid,
    name              text,
    room              text,
    linked_by         uuid,
    linked_by_name    text,
    linked_at         bigint,
    device_expires_at bigint,
    -- Of the first tokens.
    redeemed_at       bigint,
    CHECK (state <> 'claimed' OR (challenge IS NOT NULL AND number IS NOT NULL
        AND account_id IS NOT NULL AND family_id IS NOT NULL AND claim_expires_at IS NOT NULL)),
    CHECK (state NOT IN ('linked', 'redeemed') OR (family_id IS NOT NULL AND device_id IS NOT NULL
        AND name IS NOT NULL AND linked_by IS NOT NULL AND linked_by_name IS NOT NULL
        AND linked_at IS NOT NULL AND device_expires_at IS NOT NULL))
);
CREATE INDEX links_code ON links (user_code);
CREATE INDEX links_key ON links (key);
CREATE INDEX links_end ON links (expires_at);
CREATE INDEX links_open ON links (expires_at) WHERE state IN ('open', 'claimed');
CREATE INDEX links_family ON links (family_id) WHERE state = 'linked';

-- Which families typed its code.
CREATE TABLE link_families (
    link_id   uuid NOT NULL REFERENCES links ON DELETE CASCADE,
    family_id uuid NOT NULL,
    PRIMARY KEY (link_id, family_id)
);

-- These refer to nothing either: that a family is gone is an event of it. The counter of a family
-- that is gone stays until its last event is forgotten.
CREATE TABLE event_counters (
    family_id uuid PRIMARY KEY,
    latest    bigint NOT NULL
);

CREATE TABLE events (
    family_id uuid NOT NULL,
    seq       bigint NOT NULL,
    kind      text NOT NULL,
    subject   text,
    reason    text,
    at        bigint NOT NULL,
    PRIMARY KEY (family_id, seq)
);
CREATE INDEX events_age ON events (at);

CREATE TABLE used_once (
    key        bytea PRIMARY KEY CHECK (length(key) = 32),
    expires_at bigint NOT NULL
);
CREATE INDEX used_once_end ON used_once (expires_at);
