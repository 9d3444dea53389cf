-- A connection has left a topic. ARGV: 3 the topic, 4 its user where it has one

if not may_act() then
  return lapsed()
end
local topic, user = ARGV[3], ARGV[4]
local rules = rules_of(topic)
if user then
  remove_user(ME, topic, rules, user, 1)
end
remove_connections(ME, topic, rules, 1)
return 1
