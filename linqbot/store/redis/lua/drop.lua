-- ARGV: id. -> 1, or 0 when there is no such letter.
call('ZREM', P .. 'dead:order', ARGV[2])
return answer(call('HDEL', P .. 'dead', ARGV[2]))
