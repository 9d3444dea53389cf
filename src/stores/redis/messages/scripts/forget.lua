-- Ends all subscriptions to a service, and forgets what it has sent. ARGV: 1 the service

local service = ARGV[1]
local marks = ROOT .. 'marks/' .. service
local devices = redis.call('ZRANGE', marks, 0, -1)
redis.call('DEL', marks, ROOT .. 'log/' .. service, ROOT .. 'tally/' .. service)
redis.call('ZREM', LOGS, service)
for _, device in ipairs(devices) do
  end_subscription(device, service)
end
return 1
