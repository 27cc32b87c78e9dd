-- What came to layout 1 later: a release that does not know it works on beside it. Applied at every opening; tables and
-- columns that are there already stay as they are.

-- What was learned. A value of null: it was forgotten, and only the rank counts.
CREATE TABLE IF NOT EXISTS fact (
    ns INTEGER NOT NULL,
    key TEXT NOT NULL,
    rank INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    until_ms INTEGER,                        -- null: it stays
    value BLOB,
    PRIMARY KEY (ns, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fact_by_age ON fact (ns, until_ms) WHERE until_ms IS NOT NULL;

-- The furthest that is known of a message.
ALTER TABLE sent ADD COLUMN status TEXT NOT NULL DEFAULT 'sent';
