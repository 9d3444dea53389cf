-- What a device has not read, which is read by that. ARGV: 1 the device, 2 when

local device, at = unpack(ARGV)
local answer, reached = collect(device)
for service, number in pairs(reached) do
  pass(device, service, number)
end
look(device, at)
return answer
