-- What the family server keeps. Times are Unix ms. Ids are made by the caller, except for the log's.

-- The time of everything in here. Tests put a clock of their own in its place.
CREATE FUNCTION luminous_now() RETURNS bigint LANGUAGE sql VOLATILE
AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint';

CREATE TABLE accounts (
    id                  uuid PRIMARY KEY,
    tenant              text NOT NULL,
    object              text NOT NULL,
    name                text NOT NULL,
    email               text,
    created_at          bigint NOT NULL,
    not_before          bigint,
    standing_changed_at bigint,
    UNIQUE (tenant, object)
);

-- Apart from the account, so that noting a visit waits for no change of the account, nor the
-- other way about.
CREATE TABLE visits (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    seen_at    bigint NOT NULL
);

CREATE TABLE families (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE members (
    id         uuid PRIMARY KEY,
    family_id  uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    account_id uuid REFERENCES accounts,
    name       text NOT NULL,
    role       text NOT NULL
        CHECK (role IN ('owner', 'admin', 'adult', 'teen', 'child', 'caregiver')),
    active     boolean NOT NULL DEFAULT true,
    joined_at  bigint NOT NULL,
    -- A managed profile is a child.
    CHECK (account_id IS NOT NULL OR role = 'child')
);
-- An account is in one family at most.
CREATE UNIQUE INDEX members_account ON members (account_id);
CREATE INDEX members_family ON members (family_id, joined_at, id);

CREATE TABLE invites (
    id         uuid PRIMARY KEY,
    family_id  uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    role       text NOT NULL
        CHECK (role IN ('owner', 'admin', 'adult', 'teen', 'child', 'caregiver')),
    code       bytea NOT NULL UNIQUE CHECK (length(code) = 32),
    invited_by uuid NOT NULL REFERENCES members ON DELETE CASCADE,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX invites_family ON invites (family_id);
CREATE INDEX invites_invited_by ON invites (invited_by);
CREATE INDEX invites_end ON invites (expires_at);

CREATE TABLE notes (
    id          uuid PRIMARY KEY,
    family_id   uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    text        text NOT NULL,
    author      uuid REFERENCES members ON DELETE SET NULL,
    author_name text NOT NULL,
    posted_at   bigint NOT NULL,
    expires_at  bigint
);
CREATE INDEX notes_family ON notes (family_id);
CREATE INDEX notes_author ON notes (author);
CREATE INDEX notes_end ON notes (expires_at);

CREATE TABLE devices (
    id           uuid PRIMARY KEY,
    family_id    uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    name         text NOT NULL,
    room         text,
    linked_at    bigint NOT NULL,
    last_seen_at bigint
);
CREATE INDEX devices_family ON devices (family_id);

CREATE TABLE pending_sign_ins (
    state      bytea PRIMARY KEY CHECK (length(state) = 32),
    browser    bytea NOT NULL CHECK (length(browser) = 32),
    nonce      text NOT NULL,
    verifier   text NOT NULL,
    issuer     text NOT NULL,
    return_to  text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX pending_sign_ins_end ON pending_sign_ins (expires_at);

CREATE TABLE web_sessions (
    id           uuid PRIMARY KEY,
    token        bytea NOT NULL UNIQUE CHECK (length(token) = 32),
    account_id   uuid NOT NULL REFERENCES accounts,
    user_agent   text NOT NULL,
    auth_time    bigint,
    idle         bigint NOT NULL,
    created_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at   bigint NOT NULL
);
CREATE INDEX web_sessions_account ON web_sessions (account_id);
CREATE INDEX web_sessions_end ON web_sessions (expires_at);

CREATE TABLE attempts (
    bucket    text NOT NULL,
    at        bigint NOT NULL,
    forget_at bigint NOT NULL
);
CREATE INDEX attempts_bucket ON attempts (bucket, at);
CREATE INDEX attempts_end ON attempts (forget_at);

-- Which write transactions were committed, for those who lost the connection while they asked.
CREATE TABLE writes (
    id uuid PRIMARY KEY,
    at bigint NOT NULL DEFAULT luminous_now()
);
-- They are written in the order of time and swept by it: a coarse index does, and costs nothing.
CREATE INDEX writes_at ON writes USING brin (at);

CREATE SEQUENCE audit_order;

-- A UUID of version 7 (RFC 9562 section 5.7): the ms, then a counter of 42 bits in rand_a and the
-- head of rand_b (section 6.2 method 1), so that the lines of one transaction sort as written.
CREATE FUNCTION luminous_audit_id(ms bigint) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(ms), 12, '0')
         || '7' || lpad(to_hex((n >> 30) & 4095), 3, '0')
         || to_hex(32768 | ((n >> 16) & 16383))
         || lpad(to_hex(n & 65535), 4, '0')
         || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))::uuid
    FROM nextval('audit_order') AS n
$$;

-- Keeps the family's id after the family is gone: no reference.
CREATE TABLE audit (
    id           uuid PRIMARY KEY,
    at           bigint NOT NULL,
    family_id    uuid,
    actor        text NOT NULL CHECK (actor IN ('account', 'display', 'connector', 'system')),
    actor_id     uuid,
    actor_name   text,
    network      text NOT NULL CHECK (network IN ('loopback', 'private', 'public')),
    action       text NOT NULL,
    subject      text,
    subject_name text,
    outcome      text NOT NULL,
    detail       text,
    CHECK ((actor IN ('account', 'display')) = (actor_id IS NOT NULL AND actor_name IS NOT NULL))
);
CREATE INDEX audit_family ON audit (family_id, id);
-- Whether something had this id before.
CREATE INDEX audit_subject ON audit (family_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX audit_actor ON audit (actor_id, id) WHERE actor = 'account';

CREATE FUNCTION luminous_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION luminous_audit_only_grows();
