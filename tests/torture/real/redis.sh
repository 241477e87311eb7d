# needs: redis-server redis-cli
redis-server --port 0 --unixsocket "$PWD/s" --save '' --daemonize no --dir . >log 2>&1 &
server=$!
until redis-cli -s s ping 2>/dev/null | grep -q PONG; do sleep .05; done
redis-cli -s s eval "for i = 1, 150000 do redis.call('set', 'key:' .. i, string.rep('v', i % 90)) end return redis.call('dbsize')" 0
redis-cli -s s eval "for i = 1, 50000 do redis.call('zadd', 'z', i * 7919 % 100003, 'm' .. i) end return redis.call('zcard', 'z')" 0
redis-cli -s s zrange z 100 103
redis-cli -s s bgsave
until redis-cli -s s info persistence | grep -q rdb_bgsave_in_progress:0; do sleep .05; done
redis-cli -s s info persistence | grep rdb_last_bgsave_status
redis-cli -s s debug reload nosave 2>&1 | head -1
redis-cli -s s shutdown nosave
wait $server
