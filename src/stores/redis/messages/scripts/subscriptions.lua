-- ARGV: 1 the device. Answers when it last asked for its messages, then each service with since when, and the number at which that was.

local device = ARGV[1]
return {
  redis.call('HGET', CHECKED, device) or '0',
  redis.call('HGETALL', ROOT .. 'device/' .. device),
}
