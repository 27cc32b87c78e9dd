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

-- How many lanes with answers went before broadcasts that were ready.
ALTER TABLE namespace ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;

-- What each line spent of its budgets: `line` of the window, `day` of 24 hours. Spendings of one slot of time are one.
CREATE TABLE IF NOT EXISTS pace (
    ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    slot INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (ns, name, slot)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pace_by_age ON pace (ns, at_ms);
