-- Asks for modules. ARGV: from 6 on, a ground (running or wanted) and a module each
-- Replies for each 1 (granted), 0 (too early), or the id of the node that has it.

if not in_turn() then
  return late()
end
local young = is_young()
if redis.call('EXISTS', LEASE) == 0 then
  return redis.error_reply('LAPSED this node has no lease')
end
local verdicts, changed = {}, false
for at = 6, #ARGV, 2 do
  local running, module = ARGV[at] == 'running', ARGV[at + 1]
  local owner = redis.call('HGET', OWNERS, module)
  local verdict
  if young and not running then
    verdict = 0
  elseif young or not owner or owner == ME or not lives(owner) then
    verdict = 1
    if owner ~= ME then
      redis.call('HSET', OWNERS, module, ME)
      changed = true
    end
  else
    verdict = owner
  end
  verdicts[#verdicts + 1] = verdict
end
if changed then
  count_change()
end
return verdicts
