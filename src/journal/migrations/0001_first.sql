-- The first schema. Times are nanoseconds since 1970 in UTC; ids are the provider's, compared byte by byte.
--
-- What stays for good (ids, times, states, owners, sectors) lives in journal and timeline. Names, texts, raw
-- deliveries and frames live in tables of their own, so that retention and erasure leave positions and metrics alone.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row per accepted delivery, in the order that everybody sees.
CREATE TABLE journal (
    seq          INTEGER PRIMARY KEY,
    event_id     TEXT    NOT NULL UNIQUE,
    event_type   TEXT    NOT NULL,
    update_type  TEXT    NOT NULL,
    organization TEXT,
    chat_id      TEXT,
    contact_id   TEXT,
    event_at     INTEGER,
    received_at  INTEGER NOT NULL,
    attempt      INTEGER,
    -- Why it was not understood.
    reason       TEXT
);
CREATE INDEX journal_unrecognized ON journal (seq) WHERE reason IS NOT NULL;

-- The delivery's bytes, compressed with zstd.
CREATE TABLE raw_deliveries (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);

-- JSON objects without EventId or Type: kept, but no events.
CREATE TABLE ignored_deliveries (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    body        BLOB    NOT NULL
);

-- The umbler_update envelope of each position, as it was sent.
CREATE TABLE frames (
    seq   INTEGER PRIMARY KEY,
    frame TEXT NOT NULL
);

-- What each delivery said of its chat's state. NULL: not said; an empty owner or sector: said to be none.
CREATE TABLE timeline (
    chat_id      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    event_id     TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    organization TEXT,
    open         INTEGER,
    waiting      INTEGER,
    private      INTEGER,
    owner_id     TEXT,
    sector_id    TEXT,
    channel_id   TEXT,
    -- JSON array of ids.
    tags         TEXT,
    members      TEXT,
    bot_running  INTEGER,
    closed_at    INTEGER,
    PRIMARY KEY (chat_id, at, event_id)
) WITHOUT ROWID;

CREATE TABLE contacts (
    id                  TEXT PRIMARY KEY,
    organization        TEXT,
    name                TEXT,
    phone               TEXT,
    -- Folded name for sorting; the phone where there is no name.
    name_key            TEXT NOT NULL,
    -- Folded name and the phone's digits for search.
    search_key          TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    last_interaction_at INTEGER NOT NULL,
    last_message_id     TEXT,
    -- The domain's Contact as JSON.
    state               TEXT NOT NULL
);
CREATE INDEX contacts_by_interaction ON contacts (last_interaction_at, id);
CREATE INDEX contacts_by_name ON contacts (name_key, id);
CREATE INDEX contacts_by_creation ON contacts (created_at, id);

CREATE TABLE contact_tags (
    tag_id     TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    PRIMARY KEY (tag_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX contact_tags_of ON contact_tags (contact_id);

CREATE TABLE chats (
    id               TEXT PRIMARY KEY,
    organization     TEXT,
    contact_id       TEXT,
    kind             TEXT    NOT NULL,
    channel_id       TEXT,
    sector_id        TEXT,
    owner_id         TEXT,
    open             INTEGER NOT NULL,
    waiting          INTEGER NOT NULL,
    private          INTEGER NOT NULL,
    -- The contact's name_key, for sorting.
    name_key         TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    last_message_at  INTEGER,
    last_message_id  TEXT,
    message_count    INTEGER NOT NULL,
    -- The domain's Chat as JSON.
    state            TEXT    NOT NULL
);
CREATE INDEX chats_by_activity ON chats (last_activity_at, id);
CREATE INDEX chats_open_by_activity ON chats (last_activity_at, id) WHERE open = 1;
CREATE INDEX chats_by_name ON chats (name_key, id);
CREATE INDEX chats_by_creation ON chats (created_at, id);
CREATE INDEX chats_of_contact ON chats (contact_id, last_message_at);

CREATE TABLE chat_tags (
    tag_id  TEXT NOT NULL,
    chat_id TEXT NOT NULL,
    PRIMARY KEY (tag_id, chat_id)
) WITHOUT ROWID;
CREATE INDEX chat_tags_of ON chat_tags (chat_id);

CREATE TABLE messages (
    id         TEXT PRIMARY KEY,
    chat_id    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    source     TEXT,
    -- 'customer', 'reply', 'other' (counts in no clock) or 'reaction' (nobody's last word).
    role       TEXT    NOT NULL,
    -- Folded text for search.
    search_key TEXT,
    -- The domain's ChatMessage as JSON.
    state      TEXT    NOT NULL
);
CREATE INDEX messages_of_chat ON messages (chat_id, at, id);
CREATE INDEX messages_by_time ON messages (at, id);
CREATE INDEX messages_by_source ON messages (source, at, id);

-- Reactions to messages that are not known yet.
CREATE TABLE parked_reactions (
    message_id TEXT NOT NULL,
    reaction   TEXT NOT NULL,
    PRIMARY KEY (message_id, reaction)
) WITHOUT ROWID;

-- The whole hub's counters, so that a start reads one row.
CREATE TABLE counters (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    total_contacts INTEGER NOT NULL,
    total_messages INTEGER NOT NULL,
    total_chats    INTEGER NOT NULL,
    open_chats     INTEGER NOT NULL,
    waiting_chats  INTEGER NOT NULL
);
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0);

-- Messages of direct chats per quarter of an hour (UTC), the key being seconds since 1970 / 900.
CREATE TABLE message_buckets (
    bucket INTEGER PRIMARY KEY,
    count  INTEGER NOT NULL
);

-- Deliveries by type and outcome: accepted, duplicate, unrecognized, ignored.
CREATE TABLE delivery_counts (
    event_type TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    PRIMARY KEY (event_type, outcome)
) WITHOUT ROWID;
