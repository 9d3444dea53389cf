-- ARGV: services. Answers of each: how many messages of the levels 1 to 5 it has sent, the last one, and how many some device has not read.

local tallies = {}
for at, service in ipairs(ARGV) do
  local tally = redis.call('HMGET', ROOT .. 'tally/' .. service, '1', '2', '3', '4', '5', 'message')
  tally[7] = redis.call('XLEN', ROOT .. 'log/' .. service)
  tallies[at] = tally
end
return tallies
