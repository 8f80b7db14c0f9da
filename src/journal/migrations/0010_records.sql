-- Every event is a record: what kind it is of and who put it in stand beside the bytes of what it says, so that all that
-- follows from it can be made again. Bytes of events that were kept without them are filled in by the program.

-- The number of the kind (src/journal/entry.rs); 0 is a delivery.
ALTER TABLE journal ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- Who put it in; NULL: the provider.
ALTER TABLE journal ADD COLUMN origin TEXT;
UPDATE journal SET kind = CASE update_type WHEN 'notification' THEN 1 WHEN 'member_updated' THEN 2
                                           WHEN 'settings_updated' THEN 3 ELSE 4 END
    WHERE update_type IN ('notification', 'member_updated', 'settings_updated', 'alert_raised', 'alert_cleared',
                          'alert_acknowledged');

-- Digests of what was told, by blocks of positions: two hubs, or a hub and its own records, are compared by these.
CREATE TABLE blocks (
    -- The first position, and the newest one that is in the digest.
    first  INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL,
    -- SHA-256, chained over the events of the block.
    digest BLOB    NOT NULL,
    -- The number of the rules that made the events (src/journal/apply.rs).
    rules  INTEGER NOT NULL
);
