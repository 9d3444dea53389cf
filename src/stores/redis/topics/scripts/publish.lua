-- Publishes a message that is kept or reported. ARGV: 3 the topic, 4 its rules, 5 whose it is not, as JSON, 6 the message, 7 whether it is kept, 8 the report or ''

local topic, rules, except, message, kept, published = unpack(ARGV, 3)
local since = 'null'
if kept == '1' then
  since = whole(now())
  local text = '[' .. since .. ',' .. except .. ',' .. message .. ']'
  redis.call('INCRBY', KEPT_BYTES, #text - redis.call('HSTRLEN', LAST, topic))
  redis.call('HSET', LAST, topic, text)
  redis.call('ZADD', KEPT, since, topic)
  forget_old()
end
if published ~= '' then
  report(topic, rules, published)
end
tell(topic, '["message",' .. since .. ',' .. except .. ',' .. message .. ']')
return 1
