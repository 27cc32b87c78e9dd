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

-- The tokens that hold nothing yet. Those that do were sent before and the answer was lost: their lanes are shown again,
-- unless their time is over: then they are anybody's.
local function free_tokens()
  local free = {}
  for i = 4, #ARGV do
    local lane = call('HGET', TOKENS, ARGV[i])
    local until_ms = lane and call('ZSCORE', LEASED, lane)
    if until_ms and held(s, lane, ARGV[i]) then
      call('HSET', about(s, lane), 'at', string.format('%d', now))
      show(lane, ARGV[i], tonumber(until_ms))
    else
      if lane then call('HDEL', TOKENS, ARGV[i]) end
      if lane and held(s, lane, ARGV[i]) then call('HDEL', about(s, lane), 'tok', 'at') end
      free[#free + 1] = ARGV[i]
    end
  end
  return free
end

local due
local function sooner(ms)
  if ms and (not due or ms < due) then due = ms end
end

-- Does what is due in a set of times, and notes when the next of it will be.
local function come(set, act)
  local function first() return tonumber(call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]) end
  local soonest = first()
  if soonest and soonest <= now then
    for _, name in ipairs(call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, BOUND)) do act(name) end
    soonest = first()
  end
  sooner(soonest)
end

local function expire(lane)
  local arrived = s == 'out' and call('HGET', about(s, lane), 'mid')
  if arrived then return finish_sent(lane, arrived) end
  call('ZREM', LEASED, lane)
  call('HINCRBY', about(s, lane), 'stalls', 1)
  if s == 'out' then call('HSETNX', about(s, lane), 'amb', string.format('%d', now)) end
  front(s, lane)
end

local function resume(lane)
  call('ZREM', DELAYED, lane)
  rear(s, lane)
end

local function fire(key)
  local blob = call('HGET', P .. 'timers:item', key)
  call('ZREM', P .. 'timers', key)
  call('HDEL', P .. 'timers:item', key)
  if not blob then return end
  local parts, at = unframe(blob, 1)
  append('in', parts[1], string.format('%d', now) .. ':' .. string.sub(blob, at))
end

-- A book is a list with 'ms:sum so far' of each spending in its window, and in front of them the last one before it, so that
-- the sum of the window is a difference. Spendings of one grain of time are one.

local function row(book, i)
  local ms, sum = string.match(call('LINDEX', book.key, i) or '', '^(%d+):(%d+)$')
  return tonumber(ms), tonumber(sum)
end

-- How long until there is room for the units; what is spent so far is noted in the book.
local function shortage(book, units)
  local second = row(book, 1)
  while second and second <= now - book.window do
    call('LPOP', book.key)
    second = row(book, 1)
  end
  local _, before = row(book, 0)
  book.ms, book.sum = row(book, -1)
  local used = (book.sum or 0) - (before or 0)
  if used == 0 or used + units <= book.most then return 0 end
  local i = 1
  local ms, sum = row(book, 1)
  while sum < book.sum and book.sum - sum + units > book.most do
    i = i + 1
    ms, sum = row(book, i)
  end
  return ms + book.window - now
end

local function spend(book, units)
  local spent = string.format('%d:%d', now, (book.sum or 0) + units)
  if not book.sum then call('RPUSH', book.key, '0:0') end
  if book.grain > 1 and book.ms and math.floor(book.ms / book.grain) == math.floor(now / book.grain) then
    call('LSET', book.key, -1, spent)
  else
    call('RPUSH', book.key, spent)
  end
  call('PEXPIRE', book.key, book.window)
end

-- Spends what a reply costs in all its books, or in none and says how long to wait. Broadcasts leave a fifth of a line's pace
-- to answers.
local DAY = 86400000
local function pay(pair, units, extra)
  if units == 0 then return 0 end
  local books = {}
  local function open(key, most, window, grain)
    if most > 0 then books[#books + 1] = { key = P .. key, most = most, window = window, grain = grain } end
  end
  local function share(most)
    return extra.bc and most > 0 and math.max(math.floor(most * 4 / 5), 1) or most
  end
  if pair ~= '' then open('out:pair:' .. pair, LIMITS.budget, LIMITS.budget_window_ms, 1) end
  if extra.line then
    open('out:line:' .. extra.line, share(LIMITS.line_budget), LIMITS.line_window_ms, 1)
    open('out:day:' .. extra.line, share(LIMITS.line_day_budget), DAY, DAY / 144)
  end
  local wait = 0
  for _, book in ipairs(books) do wait = math.max(wait, shortage(book, units)) end
  if wait > 0 then return wait end
  for _, book in ipairs(books) do spend(book, units) end
  return 0
end

local function only_broadcasts(lane)
  for _, entry in ipairs(call('LRANGE', queue(s, lane), 0, 15)) do
    local _, at = unframe(entry, 5)
    if not more(string.sub(entry, at)).bc then return false end
  end
  return true
end

-- How many answers went before broadcasts that are ready; after so many one of those goes first. Nothing when none is ready.
local PATIENCE = 16
local function passed_by()
  if s == 'in' or tonumber(call('ZREVRANGE', READY, 0, 0, 'WITHSCORES')[2] or 0) < EDGE then return nil end
  return tonumber(call('HGET', META, 'out_passed') or 0)
end

local function pop(passed)
  local lane = passed and passed >= PATIENCE and call('ZRANGEBYSCORE', READY, EDGE, '+inf', 'LIMIT', 0, 1)[1]
  if not lane then return unpack(call('ZPOPMIN', READY)) end
  call('ZREM', READY, lane)
  return lane, LATER
end

-- The next ready lane that may be leased; one whose budgets have nothing left is delayed on the way.
local function next_lane(tries, passed)
  for i = 1, tries do
    local lane, rank = pop(passed)
    if not lane then return nil, i, passed end
    local is_later = tonumber(rank) >= EDGE
    local head = call('LINDEX', queue(s, lane), 0)
    if not head then
      finish(s, lane, 1)
    elseif s == 'in' then
      return lane, i
    else
      local parts, at = unframe(head, 5)
      local extra = more(string.sub(head, at))
      if extra.bc and not is_later and only_broadcasts(lane) then
        call('ZADD', READY, LATER + rank, lane)
        passed = passed or tonumber(call('HGET', META, 'out_passed') or 0)
      else
        local wait = pay(pair_in(lane, parts[3]), tonumber(parts[4]), extra)
        if is_later then passed = 0 elseif passed and wait <= 0 then passed = passed + 1 end
        if wait <= 0 then return lane, i, passed end
        local untried = extra.bc and call('EXISTS', about(s, lane)) == 0
        if not (untried and give_way(lane)) then
          call('ZADD', DELAYED, now + wait, lane)
          sooner(now + wait)
        end
      end
    end
  end
  return nil, tries, passed
end

-- Whether lanes may be left that are ready.
local function take_lanes(tokens)
  local tries, before, some_left = #tokens + BOUND, passed_by(), true
  local passed = before
  for _, token in ipairs(tokens) do
    local lane, used
    lane, used, passed = next_lane(tries, passed)
    tries = tries - used
    if not lane then
      some_left = tries <= 0
      break
    end
    local old = call('HGET', about(s, lane), 'tok')
    if old then call('HDEL', TOKENS, old) end
    local until_ms = now + LIMITS.lease_ms
    call('HSET', about(s, lane), 'tok', token, 'at', string.format('%d', now))
    call('HSET', TOKENS, token, lane)
    call('ZADD', LEASED, until_ms, lane)
    sooner(until_ms)
    show(lane, token, until_ms)
  end
  if passed ~= before then call('HSET', META, 'out_passed', passed) end
  return some_left
end

run_when_full()
come(LEASED, expire)
come(DELAYED, resume)
if s == 'in' then come(P .. 'timers', fire) end
local free = free_tokens()
local gated = s == 'in' and tonumber(call('HGET', META, 'out_items') or 0) >= LIMITS.outbox_cap
local some_left = false
if gated then call('HSET', META, 'gated', '1') else some_left = take_lanes(free) end

-- Lanes left behind are for the next who waits; without any, wake-ups that nobody took are stale.
local left = some_left and call('ZCARD', READY) or 0
woken[s] = left > 0 and 1 or 0
if left == 0 then call('DEL', P .. s .. ':wake') end
local rest = due and math.max(due - now, 0) or -1
if left > 0 and #taken < #ARGV - 3 then rest = 0 end
return answer({ taken, rest })
