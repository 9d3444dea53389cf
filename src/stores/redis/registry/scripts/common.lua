-- What every script of the registry begins with.
--
-- KEYS: 1 the look-up of nodes, 2 its version, 3 the owners of modules, 4 this node's lease, 5 this node's turn
-- ARGV: 1 this node's id, 2 its turn, 3 the lease in ms, 4 the server's run id, 5 what the names of leases begin with, from 6 on the script's own
--
-- The owners are a hash of module to node. Two of its fields are no module's: '' says since when the registry remembers, and one counts the changes since.

local LOOKUP, VERSION, OWNERS, LEASE, TURN = unpack(KEYS)
-- No id has a control character in it.
local CHANGES = '\1changes'
local ME, LEASE_MS, RUN, PREFIX = ARGV[1], tonumber(ARGV[3]), ARGV[4], ARGV[5]

-- Whether nothing that this node sent later has been here before. What was sent by a connection that has been given up
-- may still arrive, and must not undo what came after it.
local function in_turn()
  local turn, last = tonumber(ARGV[2]), tonumber(redis.call('GET', TURN) or '0')
  if turn <= last then
    return false
  end
  redis.call('SET', TURN, turn, 'PX', LEASE_MS * 10)
  return true
end

local function late()
  return redis.error_reply('LATE something that was sent later has been here before')
end

local function lives(node)
  return redis.call('EXISTS', PREFIX .. node) == 1
end

-- Whether a node of which the registry knows nothing may still run a module: until one lease has passed since the registry
-- began to remember. A server that was started again, or another one that took over, may have forgotten the latest,
-- so what it has of owners is dropped: those that still run a module say so before that lease has passed.
local function is_young()
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local run, since = string.match(redis.call('HGET', OWNERS, '') or '', '^(%S*) (%d+)$')
  since = tonumber(since)
  if run ~= RUN or since > now then
    redis.call('DEL', OWNERS)
    redis.call('HSET', OWNERS, '', RUN .. ' ' .. string.format('%.0f', now))
    return true
  end
  return now - since < LEASE_MS
end

-- Takes nodes off the list whose lease has lapsed, and says how many.
local function sweep()
  local swept = 0
  for _, name in ipairs(redis.call('HKEYS', LOOKUP)) do
    if string.sub(name, 1, #PREFIX) == PREFIX and redis.call('EXISTS', name) == 0 then
      swept = swept + redis.call('HDEL', LOOKUP, name)
    end
  end
  return swept
end

-- Other nodes are on the list than before.
local function renew_version(ulid)
  redis.call('SET', VERSION, redis.call('HLEN', LOOKUP) .. '-' .. ulid)
end

-- Counts a change of owners, so that a node sees that the owners which it knows are no longer current.
local function count_change()
  local count = tonumber(redis.call('HGET', OWNERS, CHANGES) or '0')
  redis.call('HSET', OWNERS, CHANGES, string.format('%.0f', count + 1))
end
