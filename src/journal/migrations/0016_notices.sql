-- Notices to users, which an erasure searches for the person's name and phone.
CREATE INDEX journal_of_notices ON journal (seq) WHERE kind = 1;
