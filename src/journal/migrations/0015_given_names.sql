-- Sectors, lines and tags: also those without a name, and names that an admin set. Times are nanoseconds since 1970 in UTC.
CREATE TABLE names_with_given (
    -- 'sector', 'channel' or 'tag'.
    what     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    -- The name at the provider: the one in the newest delivery or list that said one, by (at, event_id). NULL: none did.
    name     TEXT,
    -- The name that an admin set. It wins.
    given    TEXT,
    at       INTEGER NOT NULL,
    event_id TEXT    NOT NULL,
    -- The position at which the name became another one.
    seq      INTEGER NOT NULL,
    PRIMARY KEY (what, id)
) WITHOUT ROWID;
INSERT INTO names_with_given SELECT what, id, name, NULL, at, event_id, seq FROM names;
DROP TABLE names;
ALTER TABLE names_with_given RENAME TO names;
CREATE INDEX names_by_change ON names (seq);
CREATE INDEX names_missing ON names (what, id) WHERE name IS NULL AND given IS NULL;
-- What occurred without a name so far.
INSERT OR IGNORE INTO names (what, id, at, event_id, seq)
    SELECT DISTINCT 'sector', sector_id, 0, '', 0 FROM timeline WHERE sector_id <> ''
    UNION
    SELECT DISTINCT 'channel', channel_id, 0, '', 0 FROM timeline WHERE channel_id IS NOT NULL
    UNION
    SELECT DISTINCT 'tag', tag.value, 0, '', 0 FROM timeline, json_each(timeline.tags) AS tag;
