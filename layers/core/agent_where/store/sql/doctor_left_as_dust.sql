-- Positions of the last week that ended with something left over, too little to be closed.
SELECT p.id::text AS id, p.closed_at AS since, count(*) OVER () AS total,
       concat_ws(' ', p.side, p.open_qty, p.token_symbol, 'at', p.venue, 'for', p.account) AS detail
FROM positions p
WHERE p.closed_by = 'DUST' AND p.closed_at > now() - interval '7 days'
ORDER BY p.closed_at DESC LIMIT :at_most;
