-- Where a chat's last message turned out to be older, its last activity fell back, and nothing told of later reactions.
UPDATE chats SET late_message_at = (SELECT max(at) FROM messages WHERE chat_id = chats.id)
    WHERE (SELECT max(at) FROM messages WHERE chat_id = chats.id) > max(last_activity_at, coalesce(late_message_at, 0));
