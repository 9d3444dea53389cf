-- Says which node has which module, and changes nothing. ARGV: 6 the version that the asker knows
-- Replies how long, in ms, a module goes only to the node that runs it; the version; the listed nodes that have a lease;
-- those that claim nothing, as PlaceOS's own cores; and unless that is the known version, the owners.

local living, strangers = {}, {}
for _, name in ipairs(redis.call('HKEYS', LOOKUP)) do
  if string.sub(name, 1, #PREFIX) == PREFIX then
    local node = string.sub(name, #PREFIX + 1)
    if lives(node) then
      living[#living + 1] = node
    end
    -- Who asks has no turn, so its key is what the names of turns begin with.
    if redis.call('EXISTS', TURN .. node) == 0 then
      strangers[#strangers + 1] = node
    end
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local memory = redis.call('HGET', OWNERS, '') or ''
local run, since = string.match(memory, '^(%S*) (%d+)$')
since = tonumber(since)
if run ~= RUN or since > now then
  -- What another run of the server had may be older than what it forgot.
  return {LEASE_MS, memory .. ' forgotten', living, strangers, {}}
end
local left = math.max(0, LEASE_MS - (now - since))
local version = memory .. ' ' .. (redis.call('HGET', OWNERS, CHANGES) or '0')
if version == ARGV[6] then
  return {left, version, living, strangers}
end
return {left, version, living, strangers, redis.call('HGETALL', OWNERS)}
