-- What every script of topics begins with. Before it stand the bounds, as locals: KEPT_US, KEPT_MAX, KEPT_MAX_BYTES, REPORTS_MAX, REPORTS_MAX_BYTES.
--
-- KEYS: 1 what the names of all keys and channels of topics begin with
-- ARGV: 1 this process, 2 its session, from 3 on the script's own
--
-- nodes          sorted set: process -> the end of its lease in µs by this server's clock
-- sessions       hash: process -> the connection by which it speaks: what arrives late by one before does nothing
-- dead           set: processes whose lease has lapsed, until nothing of theirs is left
-- node/PROCESS   hash: topic -> the connections that the process has in it
-- mine/PROCESS/TOPIC  hash: user -> the connections that the process has in the topic as that user
-- counts, rules  hashes: topic -> connections of all processes; topic -> 'c' where counts are told, 'r' where there are reports
-- index          sorted set: the topics that have a connection, by name
-- users/TOPIC, info/TOPIC  hashes: user -> connections; user -> what they say of themselves, as JSON
-- kept, last, kept_bytes   sorted set: topic -> when its last message came in µs; hash: topic -> that message; their size
-- reports, report_bytes, dropped  list of what waits to be taken, the oldest first; its size; how many were dropped since that was last told
-- reporter, taken, taken_id  the process that takes reports; what it was given last, until it says that it has that
--
-- Channels: of/TOPIC has what happens to a topic, to/PROCESS answers one process, reported says that there are reports,
-- began that a process has a lease which had none: where the server has lost its memory, the others learn of that at once.

local ROOT, ME, SESSION = KEYS[1], ARGV[1], ARGV[2]
local NODES, DEAD, SESSIONS = ROOT .. 'nodes', ROOT .. 'dead', ROOT .. 'sessions'
local COUNTS, RULES, INDEX = ROOT .. 'counts', ROOT .. 'rules', ROOT .. 'index'
local KEPT, LAST, KEPT_BYTES = ROOT .. 'kept', ROOT .. 'last', ROOT .. 'kept_bytes'
local REPORTS, REPORT_BYTES, DROPPED = ROOT .. 'reports', ROOT .. 'report_bytes', ROOT .. 'dropped'
local REPORTER, TAKEN, TAKEN_ID = ROOT .. 'reporter', ROOT .. 'taken', ROOT .. 'taken_id'

-- A number as text: Lua's own way loses digits of large ones.
local function whole(number)
  return string.format('%.0f', number)
end

-- The time of this server in µs.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- Whether this process has a lease. Once it has lapsed, others take the process out, so it has to begin anew.
local function has_lease()
  return redis.call('ZSCORE', NODES, ME) ~= false
end

-- Whether it may change anything: it has a lease, and this is its latest session.
local function may_act()
  return has_lease() and redis.call('HGET', SESSIONS, ME) == SESSION
end

local function lapsed()
  return redis.error_reply('LAPSED the lease of this process has lapsed')
end

-- Tells those who are in a topic.
local function tell(topic, event)
  redis.call('PUBLISH', ROOT .. 'of/' .. topic, event)
end

local function tell_count(topic, rules, count)
  if string.find(rules, 'c', 1, true) then
    tell(topic, '["count",' .. whole(count) .. ']')
  end
end

-- Tells this process alone, in the order in which it is told of topics.
local function answer(text)
  redis.call('PUBLISH', ROOT .. 'to/' .. ME, text)
end

-- Adds to what is reported. Past the bounds the oldest are dropped.
local function report(topic, rules, what)
  if not string.find(rules, 'r', 1, true) then
    return
  end
  local text = '[' .. cjson.encode(topic) .. ',' .. whole(now()) .. ',' .. what .. ']'
  local count = redis.call('RPUSH', REPORTS, text)
  local bytes = redis.call('INCRBY', REPORT_BYTES, #text)
  if count == 1 then
    redis.call('PUBLISH', ROOT .. 'reported', '')
  end
  while count > 1 and (count > REPORTS_MAX or bytes > REPORTS_MAX_BYTES) do
    bytes = redis.call('DECRBY', REPORT_BYTES, #redis.call('LPOP', REPORTS))
    redis.call('INCR', DROPPED)
    count = count - 1
  end
end

local function rules_of(topic)
  return redis.call('HGET', RULES, topic) or ''
end

-- A process has more connections in a topic. Gives how many there are.
local function add_connections(process, topic, rules, count)
  redis.call('HINCRBY', ROOT .. 'node/' .. process, topic, count)
  if rules == '' then
    redis.call('HDEL', RULES, topic)
  else
    redis.call('HSET', RULES, topic, rules)
  end
  local total = redis.call('HINCRBY', COUNTS, topic, count)
  if total == count then
    redis.call('ZADD', INDEX, 0, topic)
    report(topic, rules, '"occupied"')
  end
  return total
end

-- A process has more connections of a user, who says this of themselves: JSON, or '' for nothing. By whom is JSON.
local function add_user(process, topic, rules, user, count, info, by)
  redis.call('HINCRBY', ROOT .. 'mine/' .. process .. '/' .. topic, user, count)
  local total = redis.call('HINCRBY', ROOT .. 'users/' .. topic, user, count)
  local infos = ROOT .. 'info/' .. topic
  local before = redis.call('HGET', infos, user) or ''
  if before ~= info then
    if info == '' then
      redis.call('HDEL', infos, user)
    else
      redis.call('HSET', infos, user, info)
    end
  end
  local who = cjson.encode(user)
  local says = info == '' and 'null' or info
  if total == count then
    tell(topic, '["joined",' .. who .. ',' .. says .. ',' .. by .. ']')
    report(topic, rules, '"joined",' .. who)
  elseif before ~= info then
    tell(topic, '["info",' .. who .. ',' .. says .. ']')
  end
end

-- A process has fewer connections of a user.
local function remove_user(process, topic, rules, user, count)
  local mine, users = ROOT .. 'mine/' .. process .. '/' .. topic, ROOT .. 'users/' .. topic
  if redis.call('HINCRBY', mine, user, -count) <= 0 then
    redis.call('HDEL', mine, user)
  end
  if redis.call('HINCRBY', users, user, -count) <= 0 then
    redis.call('HDEL', users, user)
    redis.call('HDEL', ROOT .. 'info/' .. topic, user)
    local who = cjson.encode(user)
    tell(topic, '["left",' .. who .. ']')
    report(topic, rules, '"left",' .. who)
  end
end

-- A process has fewer connections in a topic.
local function remove_connections(process, topic, rules, count)
  local node = ROOT .. 'node/' .. process
  if redis.call('HINCRBY', node, topic, -count) <= 0 then
    redis.call('HDEL', node, topic)
  end
  local total = redis.call('HINCRBY', COUNTS, topic, -count)
  report(topic, rules, '"count",' .. whole(math.max(total, 0)))
  if total > 0 then
    tell_count(topic, rules, total)
    return
  end
  redis.call('HDEL', COUNTS, topic)
  redis.call('HDEL', RULES, topic)
  redis.call('ZREM', INDEX, topic)
  report(topic, rules, '"vacated"')
end

-- Those in a topic as JSON: a user, what they say of themselves, the next user, and so on.
local function members_of(topic)
  local info, texts = {}, {}
  local flat = redis.call('HGETALL', ROOT .. 'info/' .. topic)
  for at = 1, #flat, 2 do
    info[flat[at]] = flat[at + 1]
  end
  for _, user in ipairs(redis.call('HKEYS', ROOT .. 'users/' .. topic)) do
    texts[#texts + 1] = cjson.encode(user)
    texts[#texts + 1] = info[user] or 'null'
  end
  return '[' .. table.concat(texts, ',') .. ']'
end

-- The last message of a topic as JSON: when it came, whose it is not, the message. null where none is kept.
local function last_of(topic)
  local since = redis.call('ZSCORE', KEPT, topic)
  if not since or tonumber(since) + KEPT_US <= now() then
    return 'null'
  end
  return redis.call('HGET', LAST, topic) or 'null'
end

local function forget_last(topic)
  redis.call('DECRBY', KEPT_BYTES, redis.call('HSTRLEN', LAST, topic))
  redis.call('HDEL', LAST, topic)
  redis.call('ZREM', KEPT, topic)
end

-- Forgets messages that are old, some at a time, and the oldest while there are too many.
local function forget_old()
  local old = redis.call('ZRANGEBYSCORE', KEPT, '-inf', whole(now() - KEPT_US), 'LIMIT', 0, 256)
  for _, topic in ipairs(old) do
    forget_last(topic)
  end
  while true do
    local count = redis.call('ZCARD', KEPT)
    local bytes = tonumber(redis.call('GET', KEPT_BYTES) or '0')
    if count <= 1 or (count <= KEPT_MAX and bytes <= KEPT_MAX_BYTES) then
      return
    end
    forget_last(redis.call('ZRANGE', KEPT, 0, 0)[1])
  end
end
