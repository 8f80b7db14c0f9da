-- Entries of the directory that came from the provider: the provider may change those, and no other. What an admin set stays.
ALTER TABLE members ADD COLUMN provided INTEGER NOT NULL DEFAULT 0;

-- What is wrong with the link to the provider's API: one row, changed only through the journal.
CREATE TABLE link_alerts (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    -- A list of JSON.
    value TEXT    NOT NULL,
    seq   INTEGER NOT NULL
);
