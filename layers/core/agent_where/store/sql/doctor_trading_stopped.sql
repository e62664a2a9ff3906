-- Controls that stop anything.
SELECT coalesce(c.id, c.scope) AS id, c.set_at AS since, count(*) OVER () AS total,
       concat(c.scope, ' is ', c.state, ', set by ', c.set_by, ': ', c.reason) AS detail
FROM trading_controls c WHERE c.state <> 'ACTIVE'
ORDER BY c.scope <> 'global', c.set_at DESC LIMIT :at_most;
