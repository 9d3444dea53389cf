-- A device has read so far. ARGV: 1 the device, 2 when, then services, each with the last number that was read

local device, at = unpack(ARGV, 1, 2)
for place = 3, #ARGV, 2 do
  pass(device, ARGV[place], tonumber(ARGV[place + 1]))
end
look(device, at)
return 1
