-- What sectors, lines and tags are called: the name in the newest delivery that said one, by (at, event_id), the order of
-- deliveries. Times are nanoseconds since 1970 in UTC. Names may be blanked.
CREATE TABLE names (
    -- 'sector', 'channel' or 'tag'.
    what     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    event_id TEXT    NOT NULL,
    -- The position at which the name became another one.
    seq      INTEGER NOT NULL,
    PRIMARY KEY (what, id)
) WITHOUT ROWID;
CREATE INDEX names_by_change ON names (seq);
-- The newest comes last and stays.
INSERT OR REPLACE INTO names (what, id, name, at, event_id, seq)
    SELECT what, id, name, at, event_id, coalesce((SELECT max(seq) FROM journal), 0) FROM (
        SELECT 'channel' AS what, json_extract(state, '$.channel.v.id') AS id,
               json_extract(state, '$.channel.v.name') AS name, json_extract(state, '$.channel.t') AS at,
               json_extract(state, '$.channel.e') AS event_id
        FROM chats
        UNION ALL
        SELECT 'sector', json_extract(state, '$.sector.v.id'), json_extract(state, '$.sector.v.name'),
               json_extract(state, '$.sector.t'), json_extract(state, '$.sector.e')
        FROM chats
        UNION ALL
        SELECT 'tag', json_extract(tag.value, '$.id'), json_extract(tag.value, '$.name'),
               json_extract(chats.state, '$.tags.t'), json_extract(chats.state, '$.tags.e')
        FROM chats, json_each(chats.state, '$.tags.v') AS tag
    )
    WHERE id IS NOT NULL AND name IS NOT NULL AND at IS NOT NULL AND event_id IS NOT NULL
    ORDER BY at, event_id;
