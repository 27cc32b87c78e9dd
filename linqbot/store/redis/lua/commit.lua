-- ARGV: lane, token, take, then four counted lists: replies (lane, key, marks, entry), letters (id, letter, item),
-- state (key, expected version, 1 or 0 to delete, value, ttl or 0), timers (key, due, 1 or 0 to cancel, item).
-- -> committed, stale or conflict.
local lane, take = ARGV[2], tonumber(ARGV[4])
local at = 5

local function read(width)
  local rows = {}
  for i = 1, tonumber(ARGV[at]) do
    local row = {}
    for j = 1, width do row[j] = ARGV[at + (i - 1) * width + j] end
    rows[i] = row
  end
  at = at + 1 + #rows * width
  return rows
end

local replies, letters, state, timers = read(4), read(3), read(5), read(4)
run_when_full()
if not held('in', lane, ARGV[3]) then return answer('stale') end
for _, write in ipairs(state) do
  local cell = call('GET', P .. 'state:' .. write[1])
  local version = cell and string.match(cell, '^%d+') or '0'
  if version ~= write[2] then return answer('conflict') end
end

for _, reply in ipairs(replies) do
  if call('HEXISTS', about('in', lane), 'f:' .. reply[2]) == 0 then
    enqueue(reply[1], reply[3], reply[4])
    if take == 0 then call('HSET', about('in', lane), 'f:' .. reply[2], '') end
  end
end
for _, letter in ipairs(letters) do bury(letter[1], letter[2], letter[3]) end

-- Versions come from one counter, so that a deleted and rewritten cell never has an old version again.
for _, write in ipairs(state) do
  if write[3] == '1' then
    local cell = P .. 'state:' .. write[1]
    call('SET', cell, call('HINCRBY', META, 'state_seq', 1) .. ':' .. write[4])
    if write[5] ~= '0' then call('PEXPIRE', cell, write[5]) end
  else
    call('DEL', P .. 'state:' .. write[1])
  end
end

for _, timer in ipairs(timers) do
  if timer[3] == '1' then
    call('ZADD', P .. 'timers', timer[2], timer[1])
    call('HSET', P .. 'timers:item', timer[1], timer[4])
    if call('ZRANGE', P .. 'timers', 0, 0)[1] == timer[1] then woken['in'] = woken['in'] + 1 end
  else
    call('ZREM', P .. 'timers', timer[1])
    call('HDEL', P .. 'timers:item', timer[1])
  end
end

if take > 0 then finish('in', lane, take) end
return answer('committed')
