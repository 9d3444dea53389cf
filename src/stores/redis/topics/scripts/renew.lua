-- Renews this process's lease, and that by which it takes reports. ARGV: 3 the lease in ms

if not may_act() then
  return lapsed()
end
redis.call('ZADD', NODES, whole(now() + ARGV[3] * 1000), ME)
if redis.call('GET', REPORTER) == ME then
  redis.call('PEXPIRE', REPORTER, ARGV[3])
end
return 1
