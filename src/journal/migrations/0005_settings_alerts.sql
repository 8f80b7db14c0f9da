-- What an admin saved last: the domain's Settings as JSON; no row while nobody did.
CREATE TABLE settings (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    value           TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    updated_by      TEXT    NOT NULL,
    -- May be blanked.
    updated_by_name TEXT
);

-- Alerts, kept for good: ids and times only. Times are nanoseconds since 1970 in UTC. Whom they are about is read off
-- the chat.
CREATE TABLE alerts (
    -- kind:chat:since
    id                   TEXT    PRIMARY KEY,
    kind                 TEXT    NOT NULL,
    chat_id              TEXT    NOT NULL,
    since                INTEGER NOT NULL,
    due_at               INTEGER NOT NULL,
    raised_at            INTEGER NOT NULL,
    -- NULL: it stands.
    cleared_at           INTEGER,
    acknowledged_at      INTEGER,
    acknowledged_by      TEXT,
    -- May be blanked.
    acknowledged_by_name TEXT
);
CREATE INDEX alerts_by_moment ON alerts (raised_at, id);
CREATE INDEX alerts_standing ON alerts (raised_at, id) WHERE cleared_at IS NULL;
CREATE INDEX alerts_of_chat ON alerts (chat_id);

-- Two clocks that chats did not have: the customer's last message, and the last sight of a bot at work.
UPDATE chats SET state = json_set(state, '$.last_customer_at',
        (SELECT strftime('%Y-%m-%dT%H:%M:%S', m.at / 1000000000, 'unixepoch') || printf('.%09dZ', m.at % 1000000000)
         FROM messages m WHERE m.chat_id = chats.id AND m.role = 'customer' AND m.at > 0 ORDER BY m.at DESC LIMIT 1))
    WHERE open = 1
      AND EXISTS (SELECT 1 FROM messages m WHERE m.chat_id = chats.id AND m.role = 'customer' AND m.at > 0);
UPDATE chats SET state = json_set(state, '$.bot_seen_at',
        (SELECT strftime('%Y-%m-%dT%H:%M:%S', max(t.at) / 1000000000, 'unixepoch')
                || printf('.%09dZ', max(t.at) % 1000000000)
         FROM timeline t WHERE t.chat_id = chats.id AND t.bot_running = 1 AND t.at > 0))
    WHERE open = 1
      AND EXISTS (SELECT 1 FROM timeline t WHERE t.chat_id = chats.id AND t.bot_running = 1 AND t.at > 0);
