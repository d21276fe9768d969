-- What staff wrote above what they forward (M-105): for staff alone, and no part of what is shown.
ALTER TABLE ticket_message ADD COLUMN internal TEXT COLLATE "C";
