-- Fails when the server takes no writes.
call('SET', P .. 'ping', '1', 'PX', 1000)
return answer(1)
