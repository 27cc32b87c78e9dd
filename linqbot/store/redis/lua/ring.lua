-- ARGV: side. Gives back a wake-up that nobody here needs.
woken[ARGV[2]] = 1
return answer(1)
