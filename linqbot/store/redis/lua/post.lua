-- ARGV: lane, marks and entry of each reply. -> accepted, duplicate or full. The first write is one that is refused when the
-- memory is full.
local fresh = 0
for i = 2, #ARGV, 3 do
  local once = ARGV[i + 1] ~= '' and unframe(ARGV[i + 1], 2) or { '', '' }
  if once[2] == '' or not remembered(once[1], once[2]) then fresh = fresh + 1 end
end
if fresh == 0 then return answer('duplicate') end
if tonumber(call('HGET', META, 'out_items') or 0) >= math.max(math.floor(LIMITS.outbox_cap * 4 / 5), 1) then return answer('full') end
for i = 2, #ARGV, 3 do enqueue(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return answer('accepted')
