-- Users whose tokens from before a moment do not count. Times are nanoseconds since 1970 in UTC.
CREATE TABLE revocations (
    -- The sub of the tokens.
    user          TEXT    PRIMARY KEY,
    issued_before INTEGER NOT NULL,
    revoked_at    INTEGER NOT NULL,
    revoked_by    TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocations_by_moment ON revocations (issued_before);
