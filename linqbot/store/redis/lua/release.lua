-- ARGV: side, lane, token. -> 1, or 0 when the token is not the lane's.
local s, lane = ARGV[2], ARGV[3]
run_when_full()
if not held(s, lane, ARGV[4]) then return answer(0) end
local arrived = s == 'out' and call('HGET', about(s, lane), 'mid')
if arrived then
  finish_sent(lane, arrived)
else
  leave_places(s, lane)
  front(s, lane)
end
return answer(1)
