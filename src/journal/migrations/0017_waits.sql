-- Since when a chat waits follows from its messages alone; what the provider said of it is not kept any more.
UPDATE chats SET state = json_remove(state, '$.provider_waiting_since')
WHERE json_type(state, '$.provider_waiting_since') IS NOT NULL;
