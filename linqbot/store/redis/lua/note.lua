-- ARGV: lane, token, name, value. -> the value of the name, or nothing when the token is not the lane's.
run_when_full()
local lane = ARGV[2]
if not held('in', lane, ARGV[3]) then return answer(false) end
call('HSETNX', about('in', lane), 'n:' .. ARGV[4], ARGV[5])
return answer(call('HGET', about('in', lane), 'n:' .. ARGV[4]))
