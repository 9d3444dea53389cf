-- Gives reports to the one process that takes them: those that it was given before, until it says that it has them, then the next.
-- ARGV: 3 the lease in ms, 4 the id of what it has, or '', 5 how many, 6 how many bytes

local holder = redis.call('GET', REPORTER)
if holder and holder ~= ME then
  return {'', '0'}
end
redis.call('SET', REPORTER, ME, 'PX', ARGV[3])
if ARGV[4] ~= '' and redis.call('GET', TAKEN_ID) == ARGV[4] then
  redis.call('DEL', TAKEN, TAKEN_ID)
end
if redis.call('EXISTS', TAKEN) == 0 then
  local count, bytes = 0, 0
  while count < tonumber(ARGV[5]) and bytes < tonumber(ARGV[6]) do
    local text = redis.call('LPOP', REPORTS)
    if not text then
      break
    end
    redis.call('DECRBY', REPORT_BYTES, #text)
    redis.call('RPUSH', TAKEN, text)
    count, bytes = count + 1, bytes + #text
  end
  if count > 0 then
    redis.call('SET', TAKEN_ID, whole(now()))
  end
end
local reply = {redis.call('GET', TAKEN_ID) or '', redis.call('GET', DROPPED) or '0'}
redis.call('DEL', DROPPED)
for _, text in ipairs(redis.call('LRANGE', TAKEN, 0, -1)) do
  reply[#reply + 1] = text
end
return reply
