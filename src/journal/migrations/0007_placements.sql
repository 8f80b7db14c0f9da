-- Lists for limited tokens: what a token sees is a set of placements, so that a page, its total and the counters cost as
-- much as there are placements, and not as much as there are chats.

-- Where chats stand, as far as a token may be limited to it: a row for each combination that occurs, with the sums over
-- its chats.
CREATE TABLE placements (
    id             INTEGER PRIMARY KEY,
    -- All of it as a JSON array: organization, sector, line, private (0 or 1), ids of owner and members in order.
    key            TEXT    NOT NULL UNIQUE,
    organization   TEXT,
    sector_id      TEXT,
    channel_id     TEXT,
    private        INTEGER NOT NULL,
    -- Chats of every kind, and the open ones among them.
    chats          INTEGER NOT NULL,
    open_chats     INTEGER NOT NULL,
    messages       INTEGER NOT NULL,
    -- Direct chats only.
    open_direct    INTEGER NOT NULL,
    waiting_direct INTEGER NOT NULL
);
CREATE TABLE placement_people (
    member_id    TEXT    NOT NULL,
    placement_id INTEGER NOT NULL,
    PRIMARY KEY (member_id, placement_id)
) WITHOUT ROWID;
CREATE INDEX placement_people_of ON placement_people (placement_id);

-- Messages of direct chats by the quarter of an hour, as in message_buckets, of which the newest are kept.
CREATE TABLE placement_messages (
    bucket       INTEGER NOT NULL,
    placement_id INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    PRIMARY KEY (bucket, placement_id)
) WITHOUT ROWID;

-- Where the chats of a contact stand: a row for each set of placements that occurs, with the number of its contacts.
CREATE TABLE placement_sets (
    id       INTEGER PRIMARY KEY,
    -- The placements as a JSON array, in order.
    key      TEXT    NOT NULL UNIQUE,
    contacts INTEGER NOT NULL
);
CREATE TABLE placement_set_parts (
    placement_id INTEGER NOT NULL,
    set_id       INTEGER NOT NULL,
    PRIMARY KEY (placement_id, set_id)
) WITHOUT ROWID;
CREATE INDEX placement_set_parts_of ON placement_set_parts (set_id);

ALTER TABLE chats ADD COLUMN placement_id INTEGER;
-- No message is later; NULL: none is later than last_activity_at. Reactions are no activity, and may be.
ALTER TABLE chats ADD COLUMN late_message_at INTEGER;
-- NULL: the contact has no chat.
ALTER TABLE contacts ADD COLUMN placement_set_id INTEGER;

CREATE TABLE keys_of_chats (chat INTEGER PRIMARY KEY, key TEXT NOT NULL);
INSERT INTO keys_of_chats (chat, key)
    SELECT rowid, json_array(organization, sector_id, channel_id, private, json(
               (SELECT json_group_array(member_id) FROM
                    (SELECT member_id FROM chat_members WHERE chat_id = chats.id ORDER BY member_id))))
    FROM chats;
INSERT INTO placements (key, organization, sector_id, channel_id, private, chats, open_chats, messages, open_direct,
                        waiting_direct)
    SELECT keys_of_chats.key, organization, sector_id, channel_id, private, count(*), sum(open), sum(message_count),
           sum(open AND kind = 'direct'), sum(open AND waiting AND kind = 'direct')
    FROM keys_of_chats JOIN chats ON chats.rowid = keys_of_chats.chat GROUP BY keys_of_chats.key;
INSERT INTO placement_people (member_id, placement_id)
    SELECT DISTINCT person.value, placements.id FROM placements, json_each(placements.key, '$[4]') AS person;
UPDATE chats SET placement_id = (SELECT placements.id FROM keys_of_chats JOIN placements USING (key)
                                 WHERE keys_of_chats.chat = chats.rowid);
DROP TABLE keys_of_chats;
UPDATE chats SET late_message_at = (SELECT max(at) FROM messages WHERE chat_id = chats.id)
    WHERE last_activity_at < (SELECT max(at) FROM messages WHERE chat_id = chats.id);
INSERT INTO placement_messages (bucket, placement_id, count)
    SELECT messages.at / 900000000000, chats.placement_id, count(*)
    FROM messages INDEXED BY messages_by_time CROSS JOIN chats ON chats.id = messages.chat_id
    WHERE chats.kind = 'direct'
      -- A message stands within the second in which it happened, and not before it did: the index is in that order.
      AND messages.order_at >= (SELECT coalesce(min(bucket), 0) * 900000000000
                                FROM (SELECT bucket FROM message_buckets ORDER BY bucket DESC LIMIT 384))
      AND messages.at >= (SELECT coalesce(min(bucket), 0) * 900000000000
                          FROM (SELECT bucket FROM message_buckets ORDER BY bucket DESC LIMIT 384))
    GROUP BY 1, 2;

CREATE TABLE keys_of_contacts (contact INTEGER PRIMARY KEY, key TEXT NOT NULL);
INSERT INTO keys_of_contacts (contact, key)
    SELECT rowid, (SELECT json_group_array(placement_id) FROM
                       (SELECT DISTINCT placement_id FROM chats INDEXED BY chats_of_contact
                        WHERE contact_id = contacts.id ORDER BY placement_id))
    FROM contacts;
INSERT INTO placement_sets (key, contacts)
    SELECT key, count(*) FROM keys_of_contacts WHERE key <> '[]' GROUP BY key;
INSERT INTO placement_set_parts (placement_id, set_id)
    SELECT part.value, placement_sets.id FROM placement_sets, json_each(placement_sets.key) AS part;
UPDATE contacts SET placement_set_id = (SELECT placement_sets.id FROM keys_of_contacts JOIN placement_sets USING (key)
                                        WHERE keys_of_contacts.contact = contacts.rowid);
DROP TABLE keys_of_contacts;

CREATE INDEX chats_by_placement ON chats (placement_id, open, last_activity_at, id);
CREATE INDEX chats_late ON chats (late_message_at) WHERE late_message_at IS NOT NULL;
CREATE INDEX contacts_by_placement_set ON contacts (placement_set_id);

-- Placements tell both.
DROP TABLE chat_members;
DROP INDEX chats_private;
