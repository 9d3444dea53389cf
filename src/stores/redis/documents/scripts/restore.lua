-- Brings back a ledger that has lost something, if it has not come as far again.
--
-- KEYS: the documents, the news.
-- ARGV: the schema of who restores; the version of what is brought back, as number and commit; then the documents: field, value.
-- Answers "made", "not needed", or "newer" and the schema that is there.

local known, number, commit = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local head = redis.call('HGET', KEYS[1], 'head') or ''
local schema, there = string.match(head, '^(%d+) (%d+)')
if schema and tonumber(schema) > known then
  return {'newer', tonumber(schema)}
end
if there and tonumber(there) >= tonumber(number) then
  return {'not needed', known}
end

redis.call('DEL', KEYS[1], KEYS[2])
-- Without a batch: a follower reads the documents again.
redis.call('XADD', KEYS[2], number .. '-0', 'commit', commit)
for at = 4, #ARGV, 200 do
  redis.call('HSET', KEYS[1], unpack(ARGV, at, math.min(at + 199, #ARGV)))
end
redis.call('HSET', KEYS[1], 'head', known .. ' ' .. number .. ' ' .. commit)
return {'made', known}
