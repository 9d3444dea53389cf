-- A device has read all that there is. ARGV: 1 the device, 2 when

local device, at = unpack(ARGV)
for _, service in ipairs(redis.call('HKEYS', ROOT .. 'device/' .. device)) do
  pass(device, service, math.huge)
end
look(device, at)
return 1
