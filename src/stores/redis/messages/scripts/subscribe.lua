-- Subscribes a device to a service. ARGV: 1 the device, 2 the service, 3 when

local device, service, at = unpack(ARGV)
local key, marks = ROOT .. 'device/' .. device, ROOT .. 'marks/' .. service
if redis.call('HEXISTS', key, service) == 1 then
  return 'already'
end
if redis.call('ZCARD', marks) >= SERVICE_MAX or redis.call('HLEN', key) >= DEVICE_MAX then
  return 'full'
end
local number = whole(next_number())
redis.call('ZADD', marks, number, device)
redis.call('HSET', key, service, at .. ' ' .. number)
tell_subscription(device, service, at, 'true')
return 'new'
