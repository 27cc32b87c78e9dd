-- -> events, replies, dead letters, timers.
local function count(field)
  return tonumber(call('HGET', META, field) or 0)
end
return answer({ count('in_items'), count('out_items'), call('HLEN', P .. 'dead'), call('ZCARD', P .. 'timers') })
