-- ARGV: message id. -> its record (time, key, facts, and its status unless that is `sent`; framed), or nothing when unknown or forgotten.
local record = call('HGET', P .. 'sent', ARGV[2])
if record and tonumber(unframe(record, 1)[1]) + LIMITS.sent_ms <= now then record = false end
return answer(record)
