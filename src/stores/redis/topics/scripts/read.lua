-- Tells this process how a topic is. ARGV: 3 the topic

local topic = ARGV[3]
local total = redis.call('HGET', COUNTS, topic) or '0'
answer('["read",' .. cjson.encode(topic) .. ',' .. total .. ',' .. last_of(topic) .. ',' .. members_of(topic) .. ']')
return 1
