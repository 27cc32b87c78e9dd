-- ARGV: keys. -> the cells, 'version:value' or nothing, in order.
local cells = {}
for i = 2, #ARGV do cells[i - 1] = call('GET', P .. 'state:' .. ARGV[i]) end
return answer(cells)
