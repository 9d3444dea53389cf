-- A connection comes into a topic. It is answered among what this process is told: whether it is in, how many there are, the last message, and where wanted all members.
-- ARGV: 3 the topic, 4 its rules, 5 the request, 6 the connection as JSON, 7 the most users or '', 8 whether the last message is wanted, 9 whether members are,
-- 10 the user and 11 what they say of themselves, where there is one

if not may_act() then
  return lapsed()
end
local topic, rules, request, connection, most, wants_last, wants_members, user, info = unpack(ARGV, 3)
local users = ROOT .. 'users/' .. topic
local is_full = user and most ~= '' and redis.call('HEXISTS', users, user) == 0 and redis.call('HLEN', users) >= tonumber(most)
local outcome, total, last = 'full', 0, 'null'
if not is_full then
  outcome, last = 'in', last_of(topic)
  total = add_connections(ME, topic, rules, 1)
  if user then
    add_user(ME, topic, rules, user, 1, info, connection)
  end
  report(topic, rules, '"count",' .. whole(total))
  tell_count(topic, rules, total)
  if wants_last == '1' and last == 'null' then
    report(topic, rules, '"missed"')
  end
end
local members = wants_members == '1' and members_of(topic) or 'null'
answer('["answer",' .. request .. ',"' .. outcome .. '",' .. whole(total) .. ',' .. last .. ',' .. members .. ']')
return 1
