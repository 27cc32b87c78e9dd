-- Every query of the SQLite store. All run inside one transaction of the writer thread; ?1 is the namespace's number where
-- a table has one. Sides: 0 in, 1 out. Places: 0 ready, 1 leased, 2 delayed.

-- find_namespace: name -> its row, as Tally's fields in their order.
SELECT id, now_ms, inbox, inbox_bytes, outbox, dead, timers, sent, front, rear, version, remembered, seen_hand,
       hand_side, hand_name, passed
FROM namespace WHERE name = ?1;

-- add_namespace: name -> a new row with all numbers at their beginning.
INSERT INTO namespace (name) VALUES (?1);

-- save_namespace: Tally's fields in their order -> the row holds them.
UPDATE namespace
SET now_ms = ?2, inbox = ?3, inbox_bytes = ?4, outbox = ?5, dead = ?6, timers = ?7, sent = ?8, front = ?9, rear = ?10,
    version = ?11, remembered = ?12, seen_hand = ?13, hand_side = ?14, hand_name = ?15, passed = ?16
WHERE id = ?1;

-- touch_namespace: ns -> a write that changes nothing.
UPDATE namespace SET now_ms = now_ms WHERE id = ?1;

-- find_lane: ns, side, name -> the lane's row, as Lane's fields in their order.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND name = ?3;

-- lanes_of_tokens: ns, side, JSON array of tokens -> the lanes under one of the tokens.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND token IN (SELECT value FROM json_each(?3))
ORDER BY id;

-- lanes_in_order: ns, side, place, limit -> the lanes of a place by rank.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND place = ?3 ORDER BY rank, name LIMIT ?4;

-- lanes_until: ns, side, place, rank, limit -> the lanes of a place up to a rank, by rank and name.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND place = ?3 AND rank <= ?4 ORDER BY rank, name LIMIT ?5;

-- lanes_after: ns, side, place, rank, limit -> the lanes of a place beyond a rank.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND place = ?3 AND rank > ?4 ORDER BY rank LIMIT ?5;

-- lanes_in_no_place: ns, side, limit -> lanes whose place is none of the three.
SELECT id, side, name, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked
FROM lane WHERE ns = ?1 AND side = ?2 AND (place < 0 OR place > 2) LIMIT ?3;

-- lanes_by_name: ns, side, name, limit -> (side, name, size, items that are really there) of the lanes beyond that name.
SELECT side, name, size, (SELECT count(*) FROM item WHERE item.lane = lane.id)
FROM lane WHERE ns = ?1 AND (side, name) > (?2, ?3) ORDER BY side, name LIMIT ?4;

-- times: ns, side -> the nearest (end of a lease, end of a delay, timer), each null when there is none.
SELECT (SELECT min(rank) FROM lane WHERE ns = ?1 AND side = ?2 AND place = 1),
       (SELECT min(rank) FROM lane WHERE ns = ?1 AND side = ?2 AND place = 2),
       (SELECT min(due_ms) FROM timer WHERE ns = ?1);

-- any_ready: ns, side -> a row if a lane is ready.
SELECT 1 FROM lane WHERE ns = ?1 AND side = ?2 AND place = 0 LIMIT 1;

-- add_lane: ns, side, name, rank -> a ready lane with one item; its id is the last row id.
INSERT INTO lane (ns, side, name, place, rank, size) VALUES (?1, ?2, ?3, 0, ?4, 1);

-- grow_lane: lane -> one item more.
UPDATE lane SET size = size + 1 WHERE id = ?1;

-- put_lane: lane, place, rank, size, token, attempts, stalls, ambiguous_ms, use_plain, proof, marked -> the row holds them.
UPDATE lane
SET place = ?2, rank = ?3, size = ?4, token = ?5, attempts = ?6, stalls = ?7, ambiguous_ms = ?8, use_plain = ?9,
    proof = ?10, marked = ?11
WHERE id = ?1;

-- renew_lane: ns, side, name, token, until -> leased until then, if the token is the lane's.
UPDATE lane SET place = 1, rank = ?5 WHERE ns = ?1 AND side = ?2 AND name = ?3 AND token = ?4;

-- drop_lane: lane -> gone.
DELETE FROM lane WHERE id = ?1;

-- add_item: lane, record -> the last item of the lane.
INSERT INTO item (lane, record) VALUES (?1, ?2);

-- head_items: lane, limit -> the records at the head, in order.
SELECT record FROM item WHERE lane = ?1 ORDER BY seq LIMIT ?2;

-- first_items: lane, limit -> (seq, record) at the head, in order.
SELECT seq, record FROM item WHERE lane = ?1 ORDER BY seq LIMIT ?2;

-- first_item: seq -> the item comes before all others.
UPDATE item SET seq = (SELECT min(seq) FROM item) - 1 WHERE seq = ?1;

-- end_items: lane, limit -> so many items leave the head; the size of each.
DELETE FROM item WHERE seq IN (SELECT seq FROM item WHERE lane = ?1 ORDER BY seq LIMIT ?2) RETURNING length(record);

-- add_mark: lane, kind, name, value -> the mark, unless there is one of that name.
INSERT INTO mark (lane, kind, name, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;

-- marks: lane -> all (kind, name, value).
SELECT kind, name, value FROM mark WHERE lane = ?1;

-- find_mark: lane, kind, name -> its value.
SELECT value FROM mark WHERE lane = ?1 AND kind = ?2 AND name = ?3;

-- drop_marks: lane -> none is left.
DELETE FROM mark WHERE lane = ?1;

-- remember: ns, digest, until_s, now_s -> one row changed if the id was not known (or not any more), none if it is.
INSERT INTO seen (ns, digest, until_s) VALUES (?1, ?2, ?3)
ON CONFLICT DO UPDATE SET until_s = excluded.until_s WHERE until_s <= ?4;

-- is_known: ns, digest, now_s -> a row if the id is known.
SELECT 1 FROM seen WHERE ns = ?1 AND digest = ?2 AND until_s > ?3;

-- seen_after: ns, digest, limit -> the next (digest, until_s).
SELECT digest, until_s FROM seen WHERE ns = ?1 AND digest > ?2 ORDER BY digest LIMIT ?3;

-- forget: ns, digest -> the id is not known any more.
DELETE FROM seen WHERE ns = ?1 AND digest = ?2;

-- load_states: ns, JSON array of keys -> (key, version, value) of those that are there.
SELECT key, version, value FROM state WHERE ns = ?1 AND key IN (SELECT value FROM json_each(?2));

-- put_state: ns, key, version, value -> the cell holds them.
INSERT INTO state (ns, key, version, value) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (ns, key) DO UPDATE SET version = excluded.version, value = excluded.value;

-- drop_state: ns, key -> the cell is gone.
DELETE FROM state WHERE ns = ?1 AND key = ?2;

-- learn: ns, key, rank, ttl_ms, until_ms, value, now_ms -> known, unless something of a higher rank is.
INSERT INTO fact (ns, key, rank, ttl_ms, until_ms, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (ns, key) DO UPDATE
SET rank = excluded.rank, ttl_ms = excluded.ttl_ms, until_ms = excluded.until_ms, value = excluded.value
WHERE rank <= excluded.rank OR until_ms <= ?7;

-- facts: ns, JSON array of keys, now_ms -> (key, rank, ttl_ms, value) of those that are known.
SELECT key, rank, ttl_ms, value FROM fact
WHERE ns = ?1 AND key IN (SELECT value FROM json_each(?2)) AND value IS NOT NULL
    AND (until_ms IS NULL OR until_ms > ?3);

-- forget_old_facts: ns, now_ms, limit -> so many whose time is over are gone.
DELETE FROM fact WHERE ns = ?1 AND key IN
    (SELECT key FROM fact WHERE ns = ?1 AND until_ms <= ?2 LIMIT ?3);

-- add_timer: ns, key, due_ms, record -> the timer.
INSERT INTO timer (ns, key, due_ms, record) VALUES (?1, ?2, ?3, ?4);

-- drop_timer: ns, key -> gone.
DELETE FROM timer WHERE ns = ?1 AND key = ?2;

-- due_timers: ns, now_ms, limit -> the due (key, record) in order.
SELECT key, record FROM timer WHERE ns = ?1 AND due_ms <= ?2 ORDER BY due_ms, key LIMIT ?3;

-- forget_spent: ns, pair, at_ms -> what the pair spent up to then is forgotten.
DELETE FROM spent WHERE ns = ?1 AND pair = ?2 AND at_ms <= ?3;

-- count_spent: ns, pair -> the units that are not forgotten.
SELECT coalesce(sum(units), 0) FROM spent WHERE ns = ?1 AND pair = ?2;

-- list_spent: ns, pair -> (at_ms, units), oldest first.
SELECT at_ms, units FROM spent WHERE ns = ?1 AND pair = ?2 ORDER BY at_ms;

-- spend: ns, pair, at_ms, units -> spent.
INSERT INTO spent (ns, pair, at_ms, units) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET units = units + excluded.units;

-- refund_spent: ns, pair, at_ms, units -> so many less were spent then.
UPDATE spent SET units = units - ?4 WHERE ns = ?1 AND pair = ?2 AND at_ms = ?3;

-- forget_old_spent: ns, at_ms, limit -> so many that are that old are forgotten, of any pair.
DELETE FROM spent WHERE ns = ?1 AND (pair, at_ms) IN
    (SELECT pair, at_ms FROM spent INDEXED BY spent_by_age WHERE ns = ?1 AND at_ms <= ?2 LIMIT ?3);

-- forget_pace: ns, name, at_ms -> what was spent up to then is forgotten.
DELETE FROM pace WHERE ns = ?1 AND name = ?2 AND at_ms <= ?3;

-- count_pace: ns, name -> the units that are not forgotten.
SELECT coalesce(sum(units), 0) FROM pace WHERE ns = ?1 AND name = ?2;

-- list_pace: ns, name -> (at_ms, units), oldest first.
SELECT at_ms, units FROM pace WHERE ns = ?1 AND name = ?2 ORDER BY at_ms;

-- spend_pace: ns, name, slot, at_ms, units -> spent.
INSERT INTO pace (ns, name, slot, at_ms, units) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, units = units + excluded.units;

-- refund_pace: ns, name, at_ms, units -> so many less were spent then.
UPDATE pace SET units = units - ?4 WHERE ns = ?1 AND name = ?2 AND at_ms = ?3;

-- forget_old_pace: ns, at_ms, limit -> so many that are that old are forgotten, of any line.
DELETE FROM pace WHERE ns = ?1 AND (name, slot) IN
    (SELECT name, slot FROM pace INDEXED BY pace_by_age WHERE ns = ?1 AND at_ms <= ?2 LIMIT ?3);

-- add_sent: ns, message_id, key, event_id, handler, position, ref, sent_ms -> in the sent index, unless it was before.
INSERT INTO sent (ns, message_id, key, event_id, handler, position, ref, sent_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT DO NOTHING;

-- raise_sent: ns, message_id, JSON array of the lower statuses, status -> the record has this status, if it had a lower one.
UPDATE sent SET status = ?4 WHERE ns = ?1 AND message_id = ?2 AND status IN (SELECT value FROM json_each(?3));

-- find_sent: ns, message_id, sent_ms -> the record, if it is younger.
SELECT message_id, key, event_id, handler, position, ref, sent_ms, status
FROM sent WHERE ns = ?1 AND message_id = ?2 AND sent_ms > ?3;

-- oldest_sent: ns, limit -> (seq, sent_ms), oldest first.
SELECT seq, sent_ms FROM sent WHERE ns = ?1 ORDER BY seq LIMIT ?2;

-- drop_sent_until: ns, seq -> those up to this one have left the sent index.
DELETE FROM sent WHERE ns = ?1 AND seq <= ?2;

-- add_letter: ns, kind, id, record -> the newest letter.
INSERT INTO letter (ns, kind, id, record) VALUES (?1, ?2, ?3, ?4);

-- drop_letter: ns, kind, id -> gone.
DELETE FROM letter WHERE ns = ?1 AND kind = ?2 AND id = ?3;

-- drop_oldest_letters: ns, limit -> so many of the oldest are gone.
DELETE FROM letter WHERE seq IN (SELECT seq FROM letter WHERE ns = ?1 ORDER BY seq LIMIT ?2);

-- newest_letters: ns, limit -> the records, newest first.
SELECT record FROM letter WHERE ns = ?1 ORDER BY seq DESC LIMIT ?2;
