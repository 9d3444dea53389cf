-- What a device has not read. ARGV: 1 the device

local answer = collect(ARGV[1])
return answer
