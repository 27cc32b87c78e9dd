-- ARGV: layout, buckets. -> the layout found (a newer one is left alone), the number of dedupe buckets in use.
local found = tonumber(call('HGET', META, 'layout') or ARGV[2])
if found <= tonumber(ARGV[2]) then
  call('HSET', META, 'layout', ARGV[2])
  call('HSETNX', META, 'buckets', ARGV[3])
end
return answer({ found, tonumber(call('HGET', META, 'buckets') or ARGV[3]) })
