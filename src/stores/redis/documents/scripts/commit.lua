-- Makes a batch of changes whole, if the ledger is where they were planned on.
--
-- KEYS: the documents, the news.
-- ARGV: the schema of who commits; the head that the batch was planned on, "" for none; the version that it leads to, as number and commit;
--       what the news tells, "" where it is too long; how many news are kept; how many fields are deleted; these; then field and value of those that are put.
-- Answers "made", "overtaken", or "newer" and the schema that is there.
--
-- Nothing is undone when a command in here fails, so all that can fail comes before the first change.

local known, planned_on, number, commit, told, kept, deleted =
  tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])

local head = redis.call('HGET', KEYS[1], 'head') or ''
local schema = tonumber(string.match(head, '^%d+'))
if schema and schema > known then
  return {'newer', schema}
end
if head ~= planned_on then
  -- Asked a second time, because the first answer was lost.
  local entry = redis.call('XRANGE', KEYS[2], number .. '-0', number .. '-0')[1]
  if entry and entry[2][2] == commit then
    return {'made', known}
  end
  return {'overtaken', known}
end

local news = {'XADD', KEYS[2], 'MAXLEN', '~', kept, number .. '-0', 'commit', commit}
if told ~= '' then
  news[#news + 1] = 'batch'
  news[#news + 1] = told
end
local added = redis.pcall(unpack(news))
if type(added) == 'table' and added.err then
  if not (string.find(added.err, 'equal or smaller', 1, true) or string.find(added.err, 'WRONGTYPE', 1, true)) then
    return added
  end
  -- The stream holds no updates of this ledger. Without it, a follower reads the documents again.
  redis.call('DEL', KEYS[2])
  redis.call(unpack(news))
end

local puts = 8 + deleted
for at = 8, puts - 1, 200 do
  redis.call('HDEL', KEYS[1], unpack(ARGV, at, math.min(at + 199, puts - 1)))
end
for at = puts, #ARGV, 200 do
  redis.call('HSET', KEYS[1], unpack(ARGV, at, math.min(at + 199, #ARGV)))
end
redis.call('HSET', KEYS[1], 'head', known .. ' ' .. number .. ' ' .. commit)
return {'made', known}
