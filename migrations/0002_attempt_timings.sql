-- Milliseconds from the start of an attempt; null for attempts that were made before they were recorded.
ALTER TABLE attempts ADD COLUMN connect_ms INTEGER;
ALTER TABLE attempts ADD COLUMN first_byte_ms INTEGER;
ALTER TABLE attempts ADD COLUMN total_ms INTEGER;
