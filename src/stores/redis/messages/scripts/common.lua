-- What every script of messages begins with. Before it stand the bounds, as locals: LOG_MAX, SERVICE_MAX, DEVICE_MAX, ANSWER_MAX, ANSWER_MAX_BYTES, PAGE.
--
-- KEYS: 1 what the names of all keys of messages begin with, and of the channel
--
-- number          the last number that was given
-- log/SERVICE     stream: the messages that some device has not read, by their numbers; each with when it was sent, its size and itself, as JSON
-- marks/SERVICE   sorted set: a device that is subscribed -> the last number that it has read
-- device/DEVICE   hash: a service that the device is subscribed to -> since when, and the number at which that was
-- checked         hash: device -> when it last asked for its messages
-- tally/SERVICE   hash: level -> how many messages it has sent of that; last -> the number of the last one; message -> that one, as JSON
-- logs            sorted set: a service that has a log -> a moment before which nothing in the log was sent
--
-- A message is unread by those whose mark is before it, so it costs the same to send to one device and to many,
-- and a log begins behind the least mark.
--
-- Channel: news has what all nodes are told.

local ROOT = KEYS[1]
local NUMBER, CHECKED, LOGS = ROOT .. 'number', ROOT .. 'checked', ROOT .. 'logs'

-- A number as text: Lua's own way loses digits of large ones.
local function whole(number)
  return string.format('%.0f', number)
end

-- The next number: this server's clock in µs, and more than the last one where that is less.
-- A server that has lost its last numbers, or all that it had, gives none a second time, so what a client has read stays behind what it is sent.
local function next_number()
  local time = redis.call('TIME')
  local number = math.max(tonumber(redis.call('GET', NUMBER) or '0') + 1, time[1] * 1000000 + time[2])
  redis.call('SET', NUMBER, whole(number))
  return number
end

-- Tells all nodes.
local function tell(news)
  redis.call('PUBLISH', ROOT .. 'news', news)
end

-- Tells all nodes of a subscription; whether it is there now is JSON.
local function tell_subscription(device, service, since, is_active)
  local checked = redis.call('HGET', CHECKED, device) or '0'
  tell('["subscribed",' .. cjson.encode(device) .. ',' .. cjson.encode(service) .. ',' .. since .. ',' .. checked .. ',' .. is_active .. ']')
end

-- Drops from a log what all devices have read.
local function trim(service)
  local log = ROOT .. 'log/' .. service
  local least = redis.call('ZRANGE', ROOT .. 'marks/' .. service, 0, 0, 'WITHSCORES')[2]
  if least then
    redis.call('XTRIM', log, 'MINID', '=', whole(least + 1))
  end
  if not least or redis.call('XLEN', log) == 0 then
    redis.call('DEL', log)
    redis.call('ZREM', LOGS, service)
  end
end

-- Drops one message from a log. Gives how many devices had it unread.
local function drop(service, id)
  redis.call('XDEL', ROOT .. 'log/' .. service, id)
  return redis.call('ZCOUNT', ROOT .. 'marks/' .. service, '-inf', '(' .. string.match(id, '^%d+'))
end

-- A device has read so far what a service has sent. A mark goes neither back nor past the last message.
local function pass(device, service, number)
  local marks = ROOT .. 'marks/' .. service
  local mark = redis.call('ZSCORE', marks, device)
  if not mark then
    return
  end
  local last = tonumber(redis.call('HGET', ROOT .. 'tally/' .. service, 'last') or '0')
  number = math.min(number, last)
  if number > tonumber(mark) then
    redis.call('ZADD', marks, whole(number), device)
    trim(service)
  end
end

-- A device asks for its messages.
local function look(device, at)
  if redis.call('EXISTS', ROOT .. 'device/' .. device) == 1 then
    redis.call('HSET', CHECKED, device, at)
  end
end

-- A subscription has ended: the device's part of it.
local function end_subscription(device, service)
  local key = ROOT .. 'device/' .. device
  local since = string.match(redis.call('HGET', key, service) or '0', '^%d+')
  redis.call('HDEL', key, service)
  tell_subscription(device, service, since, 'false')
  if redis.call('EXISTS', key) == 0 then
    redis.call('HDEL', CHECKED, device)
  end
end
