-- Lists this node, or renews its lease. ARGV: 6 the address, 7 the same as JSON, 8 a ULID for the version

if not in_turn() then
  return late()
end
is_young()
local before = redis.call('HGET', LOOKUP, LEASE)
redis.call('HSET', LOOKUP, LEASE, ARGV[6])
-- Before the sweep, which would take it off the list again.
redis.call('SET', LEASE, '', 'PX', LEASE_MS)
if sweep() > 0 or before ~= ARGV[6] or redis.call('EXISTS', VERSION) == 0 then
  renew_version(ARGV[8])
end
local version = cjson.encode(redis.call('GET', VERSION))
redis.call('SET', LEASE, '{"u":' .. ARGV[7] .. ',"r":true,"v":' .. version .. '}', 'PX', LEASE_MS)
return redis.status_reply('OK')
