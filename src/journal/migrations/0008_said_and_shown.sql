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

-- Private notes have a role of their own: they end no silence. 'other' is what is left: bots, campaigns, systems outside
-- Talk, deleted messages.
UPDATE messages SET role = 'note' WHERE role = 'other' AND json_extract(state, '$.private.v') = 1;

-- A clock that chats did not have: the newest message that is neither a note nor a reaction. Closed chats get it when they
-- are opened again.
UPDATE chats SET state = json_set(state, '$.last_public_at',
        (SELECT strftime('%Y-%m-%dT%H:%M:%S', m.at / 1000000000, 'unixepoch') || printf('.%09dZ', m.at % 1000000000)
         FROM messages m WHERE m.chat_id = chats.id AND m.role NOT IN ('note', 'reaction', 'undelivered') AND m.at > 0
         ORDER BY m.at DESC LIMIT 1))
    WHERE open = 1
      AND EXISTS (SELECT 1 FROM messages m
                  WHERE m.chat_id = chats.id AND m.role NOT IN ('note', 'reaction', 'undelivered') AND m.at > 0);

-- What was said in a deleted message is not kept. The updates that told it are blanked after this, by the program.
UPDATE messages SET search_key = NULL,
        state = json_remove(state, '$.text', '$.edit', '$.reactions', '$.file', '$.location', '$.contacts')
    WHERE state LIKE '%"deleted":true%' AND json_extract(state, '$.deleted') = 1;
