-- ARGV: key, rank, ttl, 1 or 0 to forget, and value of each fact.
run_when_full() -- what an attempt taught is stored before its outcome, which frees space
for i = 2, #ARGV, 5 do learn(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3] == '1' and ARGV[i + 4]) end
return answer(1)
