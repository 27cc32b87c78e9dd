-- ARGV: id, letter, item.
bury(ARGV[2], ARGV[3], ARGV[4])
return answer(1)
