-- Messages that go out through the hub. Changed only through the journal.
CREATE TABLE outbox (
    id           TEXT    NOT NULL PRIMARY KEY,
    -- The sender's own id: the same twice is one message.
    temp_id      TEXT    NOT NULL UNIQUE,
    chat_id      TEXT    NOT NULL,
    -- A word of OutboxState (src/protocol/outbox.rs).
    state        TEXT    NOT NULL,
    -- NULL once the message was deleted for everyone.
    text         TEXT,
    private      INTEGER NOT NULL,
    prefix       TEXT,
    user_id      TEXT    NOT NULL,
    user_name    TEXT,
    queued_at    INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    attempted_at INTEGER,
    -- Nothing that was sent by the last attempt is older by the provider's clock; NULL where it is known that it did not
    -- arrive.
    since        INTEGER,
    changed_at   INTEGER NOT NULL,
    message_id   TEXT,
    reason       TEXT,
    detail       TEXT,
    -- The position of the last change.
    seq          INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_by_message ON outbox (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_of_chat ON outbox (chat_id, queued_at);
CREATE INDEX outbox_by_attempt ON outbox (attempted_at);
CREATE INDEX outbox_at_work ON outbox (state) WHERE state IN ('queued', 'sending', 'unclear');
-- The updates of a chat's messages that go out, to remove the words of those that are deleted.
CREATE INDEX journal_of_outbox ON journal (chat_id) WHERE update_type = 'outbox_updated';
