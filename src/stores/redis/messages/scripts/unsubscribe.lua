-- Ends a subscription. ARGV: 1 the device, 2 the service. Answers whether there was one.

local device, service = unpack(ARGV)
if redis.call('ZREM', ROOT .. 'marks/' .. service, device) == 0 then
  return 0
end
trim(service)
end_subscription(device, service)
return 1
