-- ARGV: keys. -> key, rank, ttl and value of those that are known, in a row.
local told = {}
for from = 2, #ARGV, 1000 do -- Lua's stack holds no more than some thousands
  for _, word in ipairs(known({ unpack(ARGV, from, math.min(from + 999, #ARGV)) })) do told[#told + 1] = word end
end
return answer(told)
