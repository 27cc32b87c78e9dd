-- ARGV: keys. -> key, rank, ttl and value of those that are known, in a row.
return answer(known({ unpack(ARGV, 2) }))
