-- Makes what this process has in a topic exactly this. ARGV: 3 the topic, 4 its rules, 5 the connections; from 6 on each user, their connections, what they say of themselves

if not may_act() then
  return lapsed()
end
local topic, rules, wanted = ARGV[3], ARGV[4], tonumber(ARGV[5])
local there = tonumber(redis.call('HGET', ROOT .. 'node/' .. ME, topic) or '0')
local before, wanted_of = {}, {}
for at = 6, #ARGV, 3 do
  wanted_of[ARGV[at]] = tonumber(ARGV[at + 1])
end
local flat = redis.call('HGETALL', ROOT .. 'mine/' .. ME .. '/' .. topic)
for at = 1, #flat, 2 do
  local user, count = flat[at], tonumber(flat[at + 1])
  before[user] = count
  local fewer = count - (wanted_of[user] or 0)
  if fewer > 0 then
    remove_user(ME, topic, rules_of(topic), user, fewer)
  end
end
local total
if wanted > there then
  total = add_connections(ME, topic, rules, wanted - there)
end
for at = 6, #ARGV, 3 do
  local user, info = ARGV[at], ARGV[at + 2]
  local more = wanted_of[user] - (before[user] or 0)
  if more > 0 then
    -- Another process may have told what the user says since.
    if redis.call('HEXISTS', ROOT .. 'users/' .. topic, user) == 1 then
      info = redis.call('HGET', ROOT .. 'info/' .. topic, user) or ''
    end
    add_user(ME, topic, rules, user, more, info, 'null')
  end
end
if total then
  report(topic, rules, '"count",' .. whole(total))
  tell_count(topic, rules, total)
elseif there > wanted then
  remove_connections(ME, topic, rules_of(topic), there - wanted)
end
return 1
