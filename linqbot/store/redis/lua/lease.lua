-- ARGV: side, take, then tokens. -> { leases, ms until the next waiting thing is due or -1 }.
-- A lease is { lane, token, until, what is known about the head, items, facts that guard it }.
local s, take = ARGV[2], tonumber(ARGV[3])
local READY, LEASED, DELAYED, TOKENS = P .. s .. ':ready', P .. s .. ':leased', P .. s .. ':delayed', P .. s .. ':tokens'
local BOUND = 32
local taken = {}

local function show(lane, token, until_ms)
  local items, facts = call('LRANGE', queue(s, lane), 0, take - 1), {}
  if s == 'out' then
    local _, at = unframe(items[1], 5)
    items = { string.sub(items[1], at) }
    facts = known(more(items[1]).guards or NONE)
  end
  taken[#taken + 1] = { lane, token, until_ms, call('HGETALL', about(s, lane)), items, facts }
end

-- The tokens that hold nothing yet. Those that do were sent before and the answer was lost: their lanes are shown again.
local function free_tokens()
  local free = {}
  for i = 4, #ARGV do
    local lane = call('HGET', TOKENS, ARGV[i])
    local until_ms = lane and call('ZSCORE', LEASED, lane)
    if until_ms and held(s, lane, ARGV[i]) then
      show(lane, ARGV[i], tonumber(until_ms))
    else
      free[#free + 1] = ARGV[i]
    end
  end
  return free
end

local function expire()
  local lanes = call('ZRANGEBYSCORE', LEASED, '-inf', now, 'LIMIT', 0, BOUND)
  for _, lane in ipairs(lanes) do
    local arrived = s == 'out' and call('HGET', about(s, lane), 'mid')
    if arrived then
      finish_sent(lane, arrived)
    else
      call('ZREM', LEASED, lane)
      call('HINCRBY', about(s, lane), 'stalls', 1)
      if s == 'out' then call('HSETNX', about(s, lane), 'amb', string.format('%d', now)) end
      front(s, lane)
    end
  end
end

local function resume()
  for _, lane in ipairs(call('ZRANGEBYSCORE', DELAYED, '-inf', now, 'LIMIT', 0, BOUND)) do
    call('ZREM', DELAYED, lane)
    rear(s, lane)
  end
end

local function fire()
  for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'timers', '-inf', now, 'LIMIT', 0, BOUND)) do
    local blob = call('HGET', P .. 'timers:item', key)
    call('ZREM', P .. 'timers', key)
    call('HDEL', P .. 'timers:item', key)
    if blob then
      local parts, at = unframe(blob, 1)
      append('in', parts[1], string.format('%d', now) .. ':' .. string.sub(blob, at))
    end
  end
end

-- Spends units of a pair, or says how long to wait. The list holds 'ms:sum so far' of each spending in the window, and in
-- front of them the last one before it, so that the sum of the window is a difference.
local function spend(pair, units)
  if LIMITS.budget == 0 or units == 0 or pair == '' then return 0 end
  local spent = P .. 'out:pair:' .. pair
  local function at(i)
    local ms, sum = string.match(call('LINDEX', spent, i) or '', '^(%d+):(%d+)$')
    return tonumber(ms), tonumber(sum)
  end
  local second = at(1)
  while second and second <= now - LIMITS.budget_window_ms do
    call('LPOP', spent)
    second = at(1)
  end
  local _, before = at(0)
  local _, last = at(-1)
  local used = (last or 0) - (before or 0)
  if used > 0 and used + units > LIMITS.budget then
    local i = 1
    local ms, sum = at(1)
    while sum < last and last - sum + units > LIMITS.budget do
      i = i + 1
      ms, sum = at(i)
    end
    return ms + LIMITS.budget_window_ms - now
  end
  if not last then call('RPUSH', spent, '0:0') end
  call('RPUSH', spent, string.format('%d:%d', now, (last or 0) + units))
  call('PEXPIRE', spent, LIMITS.budget_window_ms)
  return 0
end

-- The next ready lane that may be leased; one whose pair has nothing left is delayed on the way.
local function next_lane(tries)
  for i = 1, tries do
    local lane = call('ZPOPMIN', READY)[1]
    if not lane then return nil, i end
    local head = call('LINDEX', queue(s, lane), 0)
    if not head then
      finish(s, lane, 1)
    elseif s == 'in' then
      return lane, i
    else
      local parts = unframe(head, 4)
      local wait = spend(parts[3], tonumber(parts[4]))
      if wait <= 0 then return lane, i end
      call('ZADD', DELAYED, now + wait, lane)
    end
  end
  return nil, tries
end

local function take_lanes(tokens)
  local tries = #tokens + BOUND
  for _, token in ipairs(tokens) do
    local lane, used = next_lane(tries)
    if not lane then return end
    tries = tries - used
    local old = call('HGET', about(s, lane), 'tok')
    if old then call('HDEL', TOKENS, old) end
    local until_ms = now + LIMITS.lease_ms
    call('HSET', about(s, lane), 'tok', token, 'at', string.format('%d', now))
    call('HSET', TOKENS, token, lane)
    call('ZADD', LEASED, until_ms, lane)
    show(lane, token, until_ms)
  end
end

local function next_due()
  local due
  for _, key in ipairs(s == 'in' and { LEASED, DELAYED, P .. 'timers' } or { LEASED, DELAYED }) do
    local first = tonumber(call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
    if first and (not due or first < due) then due = first end
  end
  return due and math.max(due - now, 0) or -1
end

run_when_full()
expire()
resume()
if s == 'in' then fire() end
local free = free_tokens()
local gated = s == 'in' and tonumber(call('HGET', META, 'out_items') or 0) >= LIMITS.outbox_cap
if gated then call('HSET', META, 'gated', '1') else take_lanes(free) end

-- Lanes left behind are for the next who waits; without any, wake-ups that nobody took are stale.
local left = gated and 0 or call('ZCARD', READY)
woken[s] = left > 0 and 1 or 0
if left == 0 then call('DEL', P .. s .. ':wake') end
local due = next_due()
if left > 0 and #taken < #ARGV - 3 then due = 0 end
return answer({ taken, due })
