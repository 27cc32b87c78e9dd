-- -> how many repairs were made. Looks at a bounded part of the lanes and goes on there the next time.
local repairs = 0
local PART = 100

-- A part of a set, sorted set or hash; the cursor is kept in `meta`.
local function part(command, key, cursor)
  local page = call(command, key, call('HGET', META, cursor) or '0', 'COUNT', PART)
  if page[1] == '0' then call('HDEL', META, cursor) else call('HSET', META, cursor, page[1]) end
  return page[2]
end

local function repair(s, lane)
  local leased = call('ZSCORE', P .. s .. ':leased', lane)
  local delayed = call('ZSCORE', P .. s .. ':delayed', lane)
  local ready = call('ZSCORE', P .. s .. ':ready', lane)
  local places = (leased and 1 or 0) + (delayed and 1 or 0) + (ready and 1 or 0)
  if call('EXISTS', queue(s, lane)) == 0 then
    finish(s, lane, 1)
  elseif places == 0 then
    rear(s, lane)
  elseif places > 1 then
    call('ZREM', P .. s .. ':ready', lane)
    if leased then call('ZREM', P .. s .. ':delayed', lane) end
  elseif call('SADD', P .. s .. ':lanes', lane) == 0 then
    return
  end
  repairs = repairs + 1
end

local function shorten(s)
  local leased = P .. s .. ':leased'
  local far = '(' .. string.format('%d', now + 2 * LIMITS.lease_ms)
  for _, lane in ipairs(call('ZRANGEBYSCORE', leased, far, '+inf', 'LIMIT', 0, PART)) do
    call('ZADD', leased, now + LIMITS.lease_ms, lane)
    repairs = repairs + 1
  end
end

local function drop_tokens(s)
  local pairs_found = part('HSCAN', P .. s .. ':tokens', s .. '_scan_tokens')
  for i = 1, #pairs_found, 2 do
    if not held(s, pairs_found[i + 1], pairs_found[i]) then
      call('HDEL', P .. s .. ':tokens', pairs_found[i])
      repairs = repairs + 1
    end
  end
end

run_when_full()
for _, s in ipairs({ 'in', 'out' }) do
  for _, lane in ipairs(part('SSCAN', P .. s .. ':lanes', s .. '_scan_lanes')) do repair(s, lane) end
  for _, place in ipairs({ ':ready', ':leased', ':delayed' }) do
    local found = part('ZSCAN', P .. s .. place, s .. '_scan' .. place)
    for i = 1, #found, 2 do repair(s, found[i]) end
  end
  shorten(s)
  drop_tokens(s)
end
forget_sent(200)
return answer(repairs)
