-- Tunnels that deliveries came by, as they were known then: one row for each that differs from those before.
CREATE TABLE tunnels (
    row          INTEGER PRIMARY KEY,
    provider     TEXT NOT NULL,              -- slug of its provider
    name         TEXT NOT NULL,
    adds_headers TEXT NOT NULL,              -- JSON list of lower-case names
    UNIQUE (provider, name, adds_headers)
) STRICT;

ALTER TABLE deliveries ADD COLUMN tunnel INTEGER; -- tunnels.row; null: by none that Creel had started
