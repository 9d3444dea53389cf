-- Gives modules up. ARGV: from 6 on, the modules

if not in_turn() then
  return late()
end
for at = 6, #ARGV do
  if redis.call('HGET', OWNERS, ARGV[at]) == ME then
    redis.call('HDEL', OWNERS, ARGV[at])
    count_change()
  end
end
return redis.status_reply('OK')
