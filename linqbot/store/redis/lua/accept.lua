-- ARGV: lane, has item, item, receipt's lane, key, message id, status, and key of the fact that tells another lane, number
-- of ids, bucket and digest of each id, then the facts as learn takes them.
-- -> accepted, duplicate or full. The first write is one that is refused when the memory is full.
local lane, has_item, item = ARGV[2], ARGV[3] == '1', ARGV[4]

local is_known, fresh = false, {}
local ids_end = 10 + 2 * tonumber(ARGV[10])
for i = 11, ids_end, 2 do
  if remembered(ARGV[i], ARGV[i + 1]) then is_known = true else fresh[#fresh + 1] = i end
end

if has_item and not is_known then
  local bytes = tonumber(call('HGET', META, 'in_bytes') or 0)
  if bytes >= LIMITS.inbox_cap_bytes or call('LLEN', queue('in', lane)) >= LIMITS.lane_cap then return answer('full') end
end

for _, i in ipairs(fresh) do remember(ARGV[i], ARGV[i + 1]) end
if has_item and not is_known then append('in', lane, string.format('%d', now) .. ':' .. item) end

for i = ids_end + 1, #ARGV, 5 do learn(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3] == '1' and ARGV[i + 4]) end

-- A receipt proves that the head of its lane arrived: it ends now, or when its lease does.
local to, key, message_id = ARGV[5], ARGV[6], ARGV[7]
local function head(of)
  local entry = call('LINDEX', queue('out', of), 0)
  local parts = entry and unframe(entry, 2)
  return parts and (parts[1] == key or parts[2] == key) and entry
end
if key ~= '' then
  local entry = head(to)
  if not entry then
    to = known({ ARGV[9] })[4]
    entry = to and head(to)
  end
  if entry then
    if call('ZSCORE', P .. 'out:leased', to) then
      call('HSETNX', about('out', to), 'mid', message_id)
      index_sent(entry, message_id)
    else
      finish_sent(to, message_id)
    end
  end
end
raise(message_id, ARGV[8])
return answer(is_known and 'duplicate' or 'accepted')
