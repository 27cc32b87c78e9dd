-- What every script shares; it stands in front of each, after a line `local LIMITS = {...}`.
-- KEYS[1] is the key `meta`: it names the prefix (and the slot). ARGV[1] is the clock's offset in milliseconds, and for
-- each side how many wait in the caller's process: those it wakes itself when it has the answer.
-- `s` is a side, 'in' or 'out'. Every script ends with `return answer(...)`.

local call = redis.call
local META = KEYS[1]
local P = string.sub(META, 1, -5)
local OFFSET, HERE_IN, HERE_OUT = string.match(ARGV[1], '^(%-?%d+) (%d+) (%d+)$')
local TIME = call('TIME')
local now = TIME[1] * 1000 + math.floor(TIME[2] / 1000) + tonumber(OFFSET)
local woken = { ['in'] = 0, out = 0 }
local here = { ['in'] = tonumber(HERE_IN), out = tonumber(HERE_OUT) }

-- A first write that can only free memory lets the rest of a script run although the memory is full.
local function run_when_full()
  call('HDEL', META, '-')
end

-- Wakes as many waiting processes as lanes became ready for which nobody waits in the caller's own. Tokens that nobody took yet count: whoever takes one and leaves
-- lanes behind leaves a token too (see lease).
local function ring(s)
  local wake, want = P .. s .. ':wake', math.min(woken[s] - here[s], 16)
  for have = call('LLEN', wake) + 1, want do
    if call('RPUSH', wake, '1') == 1 or have == want then call('PEXPIRE', wake, 60000) end
  end
end

local function answer(value)
  if woken['in'] > here['in'] then ring('in') end
  if woken.out > here.out then ring('out') end
  return { woken['in'], woken.out, value }
end

-- Reads n length-prefixed parts ('3:abc'); the second result is where the rest begins.
local function unframe(blob, n)
  local parts, at = {}, 1
  for i = 1, n do
    local size, from = string.match(blob, '^(%d+):()', at)
    parts[i] = string.sub(blob, from, from + size - 1)
    at = from + size
  end
  return parts, at
end

-- Ids, in two generations: one of the last moment of one is found through all of the next.

local function remembered(bucket, digest)
  local generation = math.floor(now / LIMITS.dedupe_ms)
  return call('HEXISTS', P .. 'id:' .. generation .. ':' .. bucket, digest) == 1
    or call('HEXISTS', P .. 'id:' .. (generation - 1) .. ':' .. bucket, digest) == 1
end

local function remember(bucket, digest)
  local generation = math.floor(now / LIMITS.dedupe_ms)
  call('HSET', P .. 'id:' .. generation .. ':' .. bucket, digest, '')
  call('PEXPIRE', P .. 'id:' .. generation .. ':' .. bucket, (generation + 2) * LIMITS.dedupe_ms - now)
end

-- Lanes: a list of items, and while the head is leased or in trouble a hash about it.

local function queue(s, lane)
  return P .. s .. ':q:' .. lane
end

local function about(s, lane)
  return P .. s .. ':st:' .. lane
end

local function rear(s, lane)
  call('ZADD', P .. s .. ':ready', call('HINCRBY', META, s .. '_rear', 1), lane)
  woken[s] = woken[s] + 1
end

-- Lanes in which only broadcasts wait are ready behind all others: their places begin far above any that those have.
local LATER = 2 ^ 41
local EDGE = 2 ^ 40

local function later(lane)
  call('ZADD', P .. 'out:ready', LATER + call('HINCRBY', META, 'out_rear', 1), lane)
  woken.out = woken.out + 1
end

local function front(s, lane)
  call('ZADD', P .. s .. ':ready', call('HINCRBY', META, s .. '_front', -1), lane)
  woken[s] = woken[s] + 1
end

-- Whoever waits is woken for a new earliest time, so that it can wait for the right one.
local function delay(s, lane, ms)
  if ms <= 0 then return rear(s, lane) end
  call('ZADD', P .. s .. ':delayed', now + ms, lane)
  if call('ZRANGE', P .. s .. ':delayed', 0, 0)[1] == lane then woken[s] = woken[s] + 1 end
end

local function append(s, lane, entry, broadcast)
  call('HINCRBY', META, s .. '_items', 1)
  call('HINCRBY', META, s .. '_bytes', #entry)
  if call('RPUSH', queue(s, lane), entry) == 1 then
    call('SADD', P .. s .. ':lanes', lane)
    if broadcast then later(lane) else rear(s, lane) end
  elseif s == 'out' and not broadcast and tonumber(call('ZSCORE', P .. 'out:ready', lane) or 0) >= EDGE then
    rear(s, lane) -- an answer takes along what waits before it
  end
end

-- A token counts until somebody else leases the lane, also when its time is over.
local function held(s, lane, token)
  return call('HGET', about(s, lane), 'tok') == token
end

local function leave_places(s, lane)
  local token = call('HGET', about(s, lane), 'tok')
  if token then
    call('HDEL', about(s, lane), 'tok', 'at')
    call('HDEL', P .. s .. ':tokens', token)
  end
  call('ZREM', P .. s .. ':leased', lane)
  call('ZREM', P .. s .. ':ready', lane)
  call('ZREM', P .. s .. ':delayed', lane)
end

-- The first n items of a lane end, with all that was known about the head; the lane goes on or is gone.
local function finish(s, lane, n)
  leave_places(s, lane)
  call('DEL', about(s, lane))
  local ended = call('LPOP', queue(s, lane), n) or {}
  local bytes = 0
  for i = 1, #ended do bytes = bytes + #ended[i] end
  if bytes > 0 then -- Lua writes the negative of 0 as -0, which is no number for Redis
    call('HINCRBY', META, s .. '_items', -#ended)
    call('HINCRBY', META, s .. '_bytes', -bytes)
  end
  if s == 'out' and call('HDEL', META, 'gated') == 1 then woken['in'] = woken['in'] + 1 end
  if call('EXISTS', queue(s, lane)) == 1 then rear(s, lane) else call('SREM', P .. s .. ':lanes', lane) end
end

-- Facts: 'rank ttl until +value', until being 0 for those that stay; '-' for one that was forgotten.

local function learn(key, rank, ttl, value)
  local cell = call('GET', P .. 'fact:' .. key)
  local old, till = string.match(cell or '', '^(%-?%d+) %d+ (%d+) ')
  if old and (till == '0' or tonumber(till) > now) and tonumber(old) > tonumber(rank) then return end
  local lives = tonumber(ttl)
  if lives == 0 and not value then lives = LIMITS.dedupe_ms end
  local text = rank .. ' ' .. ttl .. ' ' .. string.format('%d', lives > 0 and now + lives or 0) .. ' ' .. (value and '+' .. value or '-')
  if lives > 0 then
    call('SET', P .. 'fact:' .. key, text, 'PX', string.format('%d', lives))
  else
    call('SET', P .. 'fact:' .. key, text)
  end
end

-- -> key, rank, ttl and value of those that are known, in a row.
local function known(keys)
  local names, told = {}, {}
  for i, key in ipairs(keys) do names[i] = P .. 'fact:' .. key end
  for i, cell in ipairs(#names > 0 and call('MGET', unpack(names)) or {}) do
    local rank, ttl, till, value = string.match(cell or '', '^(%-?%d+) (%d+) (%d+) %+(.*)$')
    if rank and (till == '0' or tonumber(till) > now) then
      for _, word in ipairs({ keys[i], rank, ttl, value }) do told[#told + 1] = word end
    end
  end
  return told
end

-- Replies: an entry is key, plain key, pair, units and facts, each framed, then the item's bytes.

-- What few items have: it stands in front in the item's bytes, as OutboxItem.to_bytes writes it.
local NONE = {}
local function more(item)
  if string.sub(item, 1, 8) ~= '{"more":' then return NONE end
  return cjson.decode(string.sub(item, 9, string.find(item, ',"v":', 9, true) - 1))
end

-- Of a chat that was not known when the reply was frozen, the pair is known since.
local function pair_in(lane, pair)
  return string.sub(pair, 1, 3) == 'to:' and string.match(lane, '^chat:(.*)$') or pair
end

-- Puts the first answer of an out lane at its head, as if nothing had happened to it yet; false when there is none.
local function give_way(lane)
  for _, entry in ipairs(call('LRANGE', queue('out', lane), 1, 15)) do
    local _, at = unframe(entry, 5)
    if not more(string.sub(entry, at)).bc then
      call('LREM', queue('out', lane), 1, entry)
      call('LPUSH', queue('out', lane), entry)
      leave_places('out', lane)
      call('DEL', about('out', lane))
      rear('out', lane)
      return true
    end
  end
  return false
end

-- An answer does not wait behind a broadcast that was not tried yet and waits for its time.
local function hurry(lane)
  if not call('ZSCORE', P .. 'out:delayed', lane) or call('EXISTS', about('out', lane)) == 1 then return end
  local head = call('LINDEX', queue('out', lane), 0)
  local _, at = unframe(head, 5)
  if more(string.sub(head, at)).bc then give_way(lane) end
end

-- Appends a reply and says so. `marks` is '' for most of them, or framed: bucket and digest of its `once`, the key of the fact
-- that tells which chat its lane became, and 'b' for a broadcast.
local function enqueue(lane, marks, entry)
  local broadcast = false
  if marks ~= '' then
    local parts = unframe(marks, 4)
    broadcast = parts[4] == 'b'
    if parts[2] ~= '' then
      if remembered(parts[1], parts[2]) then return false end
      remember(parts[1], parts[2])
    end
    local chat = parts[3] ~= '' and known({ parts[3] })[4]
    if chat then lane = 'chat:' .. chat end
  end
  append('out', lane, entry, broadcast)
  if not broadcast then hurry(lane) end
  return true
end

local function forget_sent(most)
  local order = P .. 'sent:order'
  for _ = 1, most do
    local oldest = call('LINDEX', order, 0)
    if not oldest then return end
    local at, id = string.match(oldest, '^(%d+):(.*)$')
    if tonumber(at) + LIMITS.sent_ms > now and call('LLEN', order) <= LIMITS.sent_cap then return end
    call('LPOP', order)
    local record = call('HGET', P .. 'sent', id)
    if record and unframe(record, 1)[1] == at then call('HDEL', P .. 'sent', id) end
  end
end

-- The sent index: message id -> time, key, facts, and the status unless that is the lowest; each framed.

local RANKS = { sent = 0, failed = 1, delivered = 2, read = 3 }
local function raise(message_id, status)
  if (RANKS[status] or 0) == 0 then return end
  local record = call('HGET', P .. 'sent', message_id)
  if not record then return end
  local _, at = unframe(record, 3)
  local old = at <= #record and unframe(string.sub(record, at), 1)[1] or 'sent'
  if (RANKS[old] or 9) < RANKS[status] then
    call('HSET', P .. 'sent', message_id, string.sub(record, 1, at - 1) .. #status .. ':' .. status)
  end
end

local function index_sent(entry, message_id)
  if message_id == '' then return end
  local parts, at = unframe(entry, 5), string.format('%d', now)
  local key, facts = parts[1], parts[5]
  local record = #at .. ':' .. at .. #key .. ':' .. key .. #facts .. ':' .. facts
  if call('HSETNX', P .. 'sent', message_id, record) == 0 then return end
  call('RPUSH', P .. 'sent:order', at .. ':' .. message_id)
  call('PEXPIRE', P .. 'sent', LIMITS.sent_ms)
  call('PEXPIRE', P .. 'sent:order', LIMITS.sent_ms)
  forget_sent(8)
end

local function finish_sent(lane, message_id)
  local entry = call('LINDEX', queue('out', lane), 0)
  if entry and message_id ~= '' then
    index_sent(entry, message_id)
    local _, from = unframe(entry, 5)
    for _, name in ipairs(more(string.sub(entry, from)).names or NONE) do
      learn(name, string.format('%d', now), string.format('%d', LIMITS.sent_ms), message_id)
    end
  end
  finish('out', lane, 1)
end

-- Dead letters: the letter framed, then the item's bytes.

local function bury(id, letter, item)
  call('ZADD', P .. 'dead:order', call('HINCRBY', META, 'dead_seq', 1), id)
  call('HSET', P .. 'dead', id, string.format('%d', now) .. ':' .. #letter .. ':' .. letter .. item)
  for _ = 1, 64 do
    if call('ZCARD', P .. 'dead:order') <= LIMITS.dead_cap then return end
    call('HDEL', P .. 'dead', call('ZPOPMIN', P .. 'dead:order')[1])
  end
end
