-- Whom each event concerns (ids only, kept for good), so that a replay decides as the live fan-out did. NULL for
-- rows of the first schema: they are replayed to those only who may see everything.
ALTER TABLE journal ADD COLUMN audience TEXT;

-- Who takes part in a chat, for tokens that are limited to members.
CREATE TABLE chat_members (
    member_id TEXT NOT NULL,
    chat_id   TEXT NOT NULL,
    PRIMARY KEY (member_id, chat_id)
) WITHOUT ROWID;
CREATE INDEX chat_members_of ON chat_members (chat_id);
INSERT OR IGNORE INTO chat_members (member_id, chat_id)
    SELECT json_extract(member.value, '$.id'), chats.id
    FROM chats, json_each(chats.state, '$.members.v') AS member;
INSERT OR IGNORE INTO chat_members (member_id, chat_id)
    SELECT owner_id, id FROM chats WHERE owner_id IS NOT NULL;

-- The newest messages of the contact's other chats, in short, in the order of the audience's `elsewhere`: a limited token
-- is shown the newest that it may see. Beside the frame, because it holds texts.
ALTER TABLE frames ADD COLUMN elsewhere TEXT;

-- Private chats are few: what everybody but their members sees is counted as all minus these.
CREATE INDEX chats_private ON chats (contact_id) WHERE private = 1;
