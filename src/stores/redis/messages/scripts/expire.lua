-- Drops what one service has sent before a moment and is still unread. ARGV: 1 the moment
-- Answers whether there was such a service, and how many messages were dropped, once for each device.

local before = tonumber(ARGV[1])
local service = redis.call('ZRANGEBYSCORE', LOGS, '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)[1]
if not service then
  return {0, 0}
end
local log, from, dropped, least = ROOT .. 'log/' .. service, '-', 0, nil
while true do
  local entries = redis.call('XRANGE', log, from, '+', 'COUNT', PAGE)
  for _, entry in ipairs(entries) do
    local at = tonumber(entry[2][2])
    if at < before then
      dropped = dropped + drop(service, entry[1])
    else
      least = math.min(least or at, at)
    end
    from = '(' .. entry[1]
  end
  if #entries < PAGE then
    break
  end
end
if least then
  redis.call('ZADD', LOGS, whole(least), service)
else
  redis.call('DEL', log)
  redis.call('ZREM', LOGS, service)
end
return {1, dropped}
