-- Gives this process a lease, whether it had one or not, and says whether it had one: what is kept of it is whole then. ARGV: 3 the lease in ms

local had = has_lease()
if not had then
  redis.call('PUBLISH', ROOT .. 'began', '')
end
redis.call('SREM', DEAD, ME)
redis.call('HSET', SESSIONS, ME, SESSION)
redis.call('ZADD', NODES, whole(now() + ARGV[3] * 1000), ME)
return had and 1 or 0
