-- ARGV: how many. -> the newest letters, newest first.
local letters = {}
for i, id in ipairs(call('ZREVRANGE', P .. 'dead:order', 0, ARGV[2] - 1)) do letters[i] = call('HGET', P .. 'dead', id) end
return answer(letters)
