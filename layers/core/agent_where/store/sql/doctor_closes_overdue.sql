-- Positions that are open a quarter of an hour after they were to be closed, whatever their closing orders say: each that is
-- refused plans the next, so none of them is ever late. One of an entry that was on its way has from when it opened.
SELECT p.id::text AS id, greatest(c.since, p.opened_at) AS since, count(*) OVER () AS total,
       concat_ws(' ', p.mode, p.side, p.open_qty, p.token_symbol, 'at', p.venue, 'for', p.account, '- closing orders:', c.orders, 'the last',
                 l.status, l.refusal, nullif(l.detail, '')) AS detail
FROM positions p
CROSS JOIN LATERAL (SELECT min(o.created_at) AS since, count(*) AS orders
                    FROM venue_orders o WHERE o.position_id = p.id AND o.purpose = 'CLOSE') c
LEFT JOIN LATERAL (SELECT o.status, o.refusal, o.detail
                   FROM venue_orders o WHERE o.position_id = p.id AND o.purpose = 'CLOSE' AND o.status <> 'PLANNED'
                   ORDER BY o.created_at DESC LIMIT 1) l ON true
WHERE p.status = 'OPEN' AND p.mode IS NOT NULL AND greatest(c.since, p.opened_at) < now() - interval '15 minutes' AND c.orders > 0
ORDER BY since LIMIT :at_most;
