-- ARGV: lane, token, then `sent`, a message id or '' and, if the lane passes, the chat's id and the key of the fact that tells
-- it | `dead`, id and letter, and when it was paid or '' |
-- `wait`, delay in ms, 1 or 0 for burn, ambiguous, use plain, gives way, and when it was paid or ''.
-- -> 1, or 0 when the token is not the lane's.
local lane, what = ARGV[2], ARGV[4]
local state = about('out', lane)
run_when_full()
if not held('out', lane, ARGV[3]) then return answer(0) end

-- What still waits moves to the chat's lane, and what comes later goes there.
local function pass(chat, fact)
  local left = call('LRANGE', queue('out', lane), 0, -1)
  if #left > 0 then finish('out', lane, #left) end
  for _, entry in ipairs(left) do append('out', 'chat:' .. chat, entry) end
  learn(fact, string.format('%d', now), string.format('%d', LIMITS.passed_ms), chat)
end

-- Gives back what the head spent when it was leased, as far as that is in the windows still: its books are those of lease.
local function refund(paid)
  if tonumber(call('ZSCORE', P .. 'out:leased', lane) or 0) <= now then return end
  local entry = call('LINDEX', queue('out', lane), 0)
  local parts, at = unframe(entry, 5)
  local pair, units, line = pair_in(lane, parts[3]), tonumber(parts[4]), more(string.sub(entry, at)).line
  -- Sums never fall from row to row: what is more than the latest needs is taken off the one before it.
  local function take_off(book, window)
    if paid <= now - window then return end
    local rows = call('LRANGE', P .. book, 0, -1)
    if #rows < 2 then return end
    local function sum(i) return tonumber(string.match(rows[i], '%d+$')) end
    local left = math.max(sum(#rows) - units, sum(1))
    for i = #rows, 2, -1 do
      if sum(i) <= left then return end
      call('LSET', P .. book, i - 1, string.match(rows[i], '^%d+:') .. string.format('%d', left))
    end
  end
  if units == 0 then return end
  if pair ~= '' then take_off('out:pair:' .. pair, LIMITS.budget_window_ms) end
  if line then
    take_off('out:line:' .. line, LIMITS.line_window_ms)
    take_off('out:day:' .. line, 86400000)
  end
end

local arrived = call('HGET', state, 'mid')
local paid = tonumber(what == 'dead' and ARGV[7] or what == 'wait' and ARGV[10] or '')
if paid and not arrived then refund(paid) end
if what == 'sent' then
  finish_sent(lane, ARGV[5] ~= '' and ARGV[5] or arrived or '')
  if ARGV[6] then pass(ARGV[6], ARGV[7]) end
elseif what == 'dead' then
  local entry = call('LINDEX', queue('out', lane), 0)
  local _, at = unframe(entry, 5)
  bury(ARGV[5], ARGV[6], string.sub(entry, at))
  finish('out', lane, 1)
elseif arrived then
  finish_sent(lane, arrived)
elseif ARGV[9] ~= '1' or not give_way(lane) then
  leave_places('out', lane)
  if ARGV[6] == '1' then call('HINCRBY', state, 'att', 1) end
  if ARGV[8] == '1' then
    call('HSET', state, 'plain', '1')
    call('HDEL', state, 'amb')
  end
  if ARGV[7] == '1' then call('HSETNX', state, 'amb', string.format('%d', now)) end
  delay('out', lane, tonumber(ARGV[5]))
end
return answer(1)
