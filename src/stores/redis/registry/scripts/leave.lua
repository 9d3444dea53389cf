-- Ends this node's lease, and with it all its claims. ARGV: 6 a ULID for the version

if not in_turn() then
  return late()
end
redis.call('DEL', LEASE)
if redis.call('HDEL', LOOKUP, LEASE) > 0 then
  renew_version(ARGV[6])
end
return redis.status_reply('OK')
