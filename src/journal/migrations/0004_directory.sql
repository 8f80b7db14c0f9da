-- The directory of agents, and the ids of those who are not in it yet but own chats, take part in them or write. Times
-- are nanoseconds since 1970 in UTC. Names and pictures may be blanked: nothing else is made of them.
CREATE TABLE members (
    id         TEXT    PRIMARY KEY,
    -- NULL: not in the directory.
    name       TEXT,
    photo_url  TEXT,
    sector_id  TEXT,
    updated_at INTEGER,
    -- Owner or member of a chat, or author of a message: listed without an entry, too.
    occurs     INTEGER NOT NULL,
    -- Folded name for sorting; empty where there is none, so that ids without a name come first.
    name_key   TEXT    NOT NULL,
    -- Folded name and id for search.
    search_key TEXT    NOT NULL
);
CREATE INDEX members_by_name ON members (name_key, id);
INSERT OR IGNORE INTO members (id, occurs, name_key, search_key)
    SELECT DISTINCT member_id, 1, '', lower(member_id) FROM chat_members;
INSERT OR IGNORE INTO members (id, occurs, name_key, search_key)
    SELECT DISTINCT json_extract(state, '$.author.v.id'), 1, '', lower(json_extract(state, '$.author.v.id'))
    FROM messages WHERE source = 'Member' AND json_extract(state, '$.author.v.id') IS NOT NULL;
