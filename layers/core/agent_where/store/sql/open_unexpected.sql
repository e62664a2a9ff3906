-- The positions that entries opened which had ended as nothing executed.
INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price, status, opened_at,
                       mode, account, leverage, open_qty, fees_usd, venue_ref, unexpected)
SELECT o.id, o.deployment_id, NULL, o.venue, o.token_symbol, o.side, f.size, f.value / f.size, 'OPEN', now(),
       o.mode, o.account, o.leverage, f.size, f.fee, o.venue_ref, true
FROM venue_orders o
CROSS JOIN LATERAL (SELECT sum(size) AS size, sum(size * price) AS value, sum(fee) AS fee
                    FROM venue_fills WHERE order_id = o.id) f
WHERE o.id = ANY (CAST(:orders AS uuid[])) AND o.purpose = 'ENTRY' AND o.status IN ('REJECTED', 'EXPIRED') AND f.size > 0
ON CONFLICT DO NOTHING
RETURNING id;
