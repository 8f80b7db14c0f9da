-- The order of messages (src/domain/order.rs): the moment at which a message stands, and what orders messages of one
-- moment. `at`, when it happened, stays beside it for what is asked by time. Rows that are there are filled in by
-- src/journal/reorder.rs, in the same transaction: the time at which the provider created a message is in the bytes of
-- its deliveries only. `role` may be 'undelivered', too: what we wrote and nobody received.
DROP INDEX messages_of_chat;
DROP INDEX messages_by_time;
DROP INDEX messages_by_source;
ALTER TABLE messages ADD COLUMN order_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN order_tie TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_of_chat ON messages (chat_id, order_at, order_tie, at);
CREATE INDEX messages_by_time ON messages (order_at, order_tie, at);
CREATE INDEX messages_by_source ON messages (source, order_at, order_tie, at);
