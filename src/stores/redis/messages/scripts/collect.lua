-- Reads what a device has not read, in the order of the numbers, as much as fits into one answer.
-- Gives the answer: whether there is more, then service and message of each; and how far that comes: service -> the last number of it.
-- The logs are read some messages at a time, so a long one costs no more than what is answered.
local function collect(device)
  local fronts = {}
  local services = redis.call('HKEYS', ROOT .. 'device/' .. device)
  local page = math.max(1, math.floor(PAGE / math.max(1, #services)))

  -- Goes on to the next message of a log. Gives whether there is one.
  local function step(front)
    front.at = front.at + 1
    if front.at > #front.entries then
      front.entries = redis.call('XRANGE', front.log, '(' .. front.last, '+', 'COUNT', page)
      front.at = 1
    end
    local entry = front.entries[front.at]
    if not entry then
      return false
    end
    front.last, front.number = entry[1], tonumber(string.match(entry[1], '^%d+'))
    front.size, front.message = tonumber(entry[2][4]), entry[2][6]
    return true
  end

  for _, service in ipairs(services) do
    local mark = redis.call('ZSCORE', ROOT .. 'marks/' .. service, device)
    if mark then
      local front = {service = service, log = ROOT .. 'log/' .. service, last = whole(mark), entries = {}, at = 0}
      if step(front) then
        fronts[#fronts + 1] = front
      end
    end
  end

  local answer, reached, bytes = {0}, {}, 0
  while #fronts > 0 do
    local first = 1
    for at = 2, #fronts do
      if fronts[at].number < fronts[first].number then
        first = at
      end
    end
    local front = fronts[first]
    local count = (#answer - 1) / 2
    bytes = bytes + front.size
    if count == ANSWER_MAX or (count > 0 and bytes > ANSWER_MAX_BYTES) then
      answer[1] = 1
      break
    end
    answer[#answer + 1], answer[#answer + 2] = front.service, front.message
    reached[front.service] = front.number
    if not step(front) then
      table.remove(fronts, first)
    end
  end
  return answer, reached
end
