-- ARGV: side, then lane and token of each lease. -> the lanes that are no longer held.
local s, lost = ARGV[2], {}
run_when_full()
for i = 3, #ARGV, 2 do
  local lane = ARGV[i]
  if held(s, lane, ARGV[i + 1]) then
    call('ZREM', P .. s .. ':ready', lane)
    call('ZREM', P .. s .. ':delayed', lane) -- an expired lease that met an empty budget
    call('ZADD', P .. s .. ':leased', now + LIMITS.lease_ms, lane)
  else
    lost[#lost + 1] = lane
  end
end
return answer(lost)
