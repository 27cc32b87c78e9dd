-- ARGV: lane, token, delay in ms. -> 1, or 0 when the token is not the lane's.
local lane = ARGV[2]
run_when_full()
if not held('in', lane, ARGV[3]) then return answer(0) end
leave_places('in', lane)
call('HINCRBY', about('in', lane), 'att', 1)
delay('in', lane, tonumber(ARGV[4]))
return answer(1)
