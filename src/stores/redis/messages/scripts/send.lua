-- Sends a message. ARGV: 1 the service, 2 when, 3 the level, 4 the size, 5 what stands in the message's JSON behind its numbers.
-- Answers its number, how many devices have it unread, and how many older messages were dropped for it, once for each device.

local service, at, level, size, rest = unpack(ARGV)
local log, tally = ROOT .. 'log/' .. service, ROOT .. 'tally/' .. service
local number = whole(next_number())
local previous = redis.call('HGET', tally, 'last') or '0'
local message = '[' .. number .. ',' .. previous .. ',' .. rest
local devices, dropped = redis.call('ZCARD', ROOT .. 'marks/' .. service), 0
if devices > 0 then
  redis.call('XADD', log, number .. '-0', 'at', at, 'size', size, 'message', message)
  redis.call('ZADD', LOGS, 'LT', at, service)
  local excess = redis.call('XLEN', log) - LOG_MAX
  if excess > 0 then
    for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', excess)) do
      dropped = dropped + drop(service, entry[1])
    end
  end
end
redis.call('HSET', tally, 'last', number, 'message', message)
redis.call('HINCRBY', tally, level, 1)
tell('["sent",' .. cjson.encode(service) .. ',' .. message .. ']')
return {tonumber(number), devices, dropped}
