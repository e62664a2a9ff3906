-- Orders of which more was executed than was ordered, in the rule of execution/excess.py. Fills are read of those alone that say
-- so themselves, or that ended as nothing executed.
SELECT o.id::text AS id, coalesce(o.settled_at, o.sent_at) AS since, count(*) OVER () AS total,
       concat_ws(' ', o.status, o.purpose, o.mode, o.venue, o.market_name, o.account, 'ordered', o.size, '- executed', f.size, 'in', f.fills, 'fills') AS detail
FROM venue_orders o
LEFT JOIN venue_markets m ON m.venue = o.venue AND m.token_symbol = o.token_symbol
CROSS JOIN LATERAL (SELECT sum(size) AS size, count(*) AS fills FROM venue_fills WHERE order_id = o.id) f
WHERE o.sent_at IS NOT NULL AND (o.filled_size > o.size OR o.status IN ('REJECTED', 'EXPIRED')) AND f.size > o.size
  AND f.size - o.size >= CASE WHEN m.id IS NULL THEN 0
                              WHEN m.metadata ->> 'netting' = 'true' THEN coalesce(CAST(m.metadata ->> 'size_step' AS numeric), 0)
                              ELSE o.size / 2 END
ORDER BY since LIMIT :at_most;
