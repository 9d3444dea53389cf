-- Takes out processes whose lease has lapsed, some topics at a time, and says whether there is more to do. ARGV: 3 how many topics

forget_old()
for _, process in ipairs(redis.call('ZRANGEBYSCORE', NODES, '-inf', whole(now()), 'LIMIT', 0, 16)) do
  redis.call('ZREM', NODES, process)
  redis.call('SADD', DEAD, process)
end
local process = redis.call('SRANDMEMBER', DEAD)
if not process then
  return 0
end
local node, most, swept, cursor = ROOT .. 'node/' .. process, tonumber(ARGV[3]), 0, '0'
repeat
  local page = redis.call('HSCAN', node, cursor, 'COUNT', 64)
  cursor = page[1]
  for at = 1, #page[2], 2 do
    local topic, count = page[2][at], tonumber(page[2][at + 1])
    local rules = rules_of(topic)
    local users = redis.call('HGETALL', ROOT .. 'mine/' .. process .. '/' .. topic)
    for user = 1, #users, 2 do
      remove_user(process, topic, rules, users[user], tonumber(users[user + 1]))
    end
    remove_connections(process, topic, rules, count)
    swept = swept + 1
  end
until cursor == '0' or swept >= most
if redis.call('EXISTS', node) == 0 then
  redis.call('SREM', DEAD, process)
  redis.call('HDEL', SESSIONS, process)
end
return redis.call('SCARD', DEAD) > 0 and 1 or 0
