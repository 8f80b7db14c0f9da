-- Erasures of persons' data, and how far what is too old was deleted. Ids and times only, which stay for good.

CREATE TABLE erasures (
    contact_id TEXT    NOT NULL,
    -- When it was asked for. What was said up to then comes back in no way.
    at         INTEGER NOT NULL,
    -- The position of the event.
    seq        INTEGER NOT NULL,
    -- Who asked for it: the sub of the token, or the hub.
    by         TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    -- What comes later of the contact is not kept either. Of several erasures the newest decides.
    block      INTEGER NOT NULL,
    PRIMARY KEY (contact_id, at)
) WITHOUT ROWID;

CREATE TABLE retention (
    -- 'raw': deliveries as they came; 'texts': the content of messages; 'text_bodies': content in stored deliveries.
    what   TEXT    PRIMARY KEY,
    -- What is older is deleted, or is about to be.
    before INTEGER NOT NULL,
    -- How far that is done: a position, or for 'texts' the time of a message.
    done   INTEGER NOT NULL
) WITHOUT ROWID;
