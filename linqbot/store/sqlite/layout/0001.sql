-- Layout 1: everything of one file. Several namespaces may share it; what belongs to one bears its number `ns`.

-- One row per namespace: its numbers, kept by every transaction, so that counts are exact and cost nothing to read.
CREATE TABLE namespace (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    now_ms INTEGER NOT NULL DEFAULT 0,       -- store time of the last change; time never runs behind it
    inbox INTEGER NOT NULL DEFAULT 0,        -- events waiting, leased ones included
    inbox_bytes INTEGER NOT NULL DEFAULT 0,  -- their size
    outbox INTEGER NOT NULL DEFAULT 0,       -- replies waiting, leased ones included
    dead INTEGER NOT NULL DEFAULT 0,         -- dead letters
    timers INTEGER NOT NULL DEFAULT 0,       -- timers set
    sent INTEGER NOT NULL DEFAULT 0,         -- messages in the sent index
    front INTEGER NOT NULL DEFAULT 0,        -- rank of the next lane that goes to the front of ready; falls
    rear INTEGER NOT NULL DEFAULT 0,         -- rank of the last lane that went to the rear of ready; rises
    version INTEGER NOT NULL DEFAULT 0,      -- the last version given to a state
    remembered INTEGER NOT NULL DEFAULT 0,   -- ids ever remembered, which paces the hand below
    seen_hand BLOB NOT NULL DEFAULT x'',     -- the digest up to which old ids were last cleared away
    hand_side INTEGER NOT NULL DEFAULT -1,   -- side and name of the lane up to which lanes were last inspected
    hand_name TEXT NOT NULL DEFAULT ''
);

-- A lane with items. Empty lanes have no row.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    ns INTEGER NOT NULL,
    side INTEGER NOT NULL,                   -- 0 in, 1 out
    name TEXT NOT NULL,
    place INTEGER NOT NULL,                  -- 0 ready, 1 leased, 2 delayed
    rank INTEGER NOT NULL,                   -- ready: order; leased: until (ms); delayed: due (ms)
    size INTEGER NOT NULL,                   -- items
    token TEXT,                              -- of the last lease, while it may still be shown
    -- of the head alone:
    attempts INTEGER NOT NULL DEFAULT 0,
    stalls INTEGER NOT NULL DEFAULT 0,
    ambiguous_ms INTEGER,
    use_plain INTEGER NOT NULL DEFAULT 0,
    proof TEXT,                              -- message id that a receipt gave while the lane was leased
    marked INTEGER NOT NULL DEFAULT 0,       -- whether there are marks
    UNIQUE (ns, side, name)
);
CREATE INDEX lane_by_place ON lane (ns, side, place, rank);
CREATE UNIQUE INDEX lane_by_token ON lane (ns, side, token) WHERE token IS NOT NULL;

-- What waits in a lane, in order of seq: encoded InboxItem or OutboxItem.
CREATE TABLE item (
    seq INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX item_by_lane ON item (lane, seq);

-- What runs of the head event left: notes (kind 0) and keys of frozen replies (kind 1).
CREATE TABLE mark (
    lane INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (lane, kind, name)
) WITHOUT ROWID;

-- Ids that were seen, as digests of 12 bytes: about 35 bytes of file each.
CREATE TABLE seen (
    ns INTEGER NOT NULL,
    digest BLOB NOT NULL,
    until_s INTEGER NOT NULL,
    PRIMARY KEY (ns, digest)
) WITHOUT ROWID;

-- The user's state.
CREATE TABLE state (
    ns INTEGER NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (ns, key)
);

-- Events to come.
CREATE TABLE timer (
    ns INTEGER NOT NULL,
    key TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (ns, key)
);
CREATE INDEX timer_by_due ON timer (ns, due_ms, key);

-- What each pair spent of its budget, and when.
CREATE TABLE spent (
    ns INTEGER NOT NULL,
    pair TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (ns, pair, at_ms)
) WITHOUT ROWID;
CREATE INDEX spent_by_age ON spent (ns, at_ms);

-- The sent index, oldest first.
CREATE TABLE sent (
    seq INTEGER PRIMARY KEY,
    ns INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    handler TEXT NOT NULL,
    position INTEGER NOT NULL,
    ref TEXT,
    sent_ms INTEGER NOT NULL,
    UNIQUE (ns, message_id)
);
CREATE INDEX sent_by_age ON sent (ns, seq);

-- Dead letters, oldest first: encoded DeadLetter.
CREATE TABLE letter (
    seq INTEGER PRIMARY KEY,
    ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    record BLOB NOT NULL,
    UNIQUE (ns, kind, id)
);
CREATE INDEX letter_by_age ON letter (ns, seq);
