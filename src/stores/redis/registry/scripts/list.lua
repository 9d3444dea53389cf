-- Lists the nodes, those whose lease has lapsed no longer. ARGV: 6 a ULID for the version

if sweep() > 0 then
  renew_version(ARGV[6])
end
return redis.call('HGETALL', LOOKUP)
