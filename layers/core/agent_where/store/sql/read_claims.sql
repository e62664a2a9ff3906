-- What the ledger knows of executions at a venue: the order that each is of, if it is one of ours, by the stored fill, the
-- client order id or the venue's own; how much of it positions account for as that order's doing (`counted`), and
-- how much is booked as closures (`booked`). No row for what it knows nothing of. What was never sent was not executed,
-- unless in what a restore has forgotten: then the order is not this one.
SELECT t.venue_fill_id,
       to_jsonb(o) AS "order",
       f.order_id IS NOT NULL AS stored,
       CASE WHEN f.order_id IS NOT NULL THEN counted_of(CAST(:venue AS venue_t), t.venue_fill_id) ELSE 0 END AS counted,
       c.booked
FROM jsonb_to_recordset(CAST(:executions AS jsonb)) AS t (venue_fill_id text, venue_ref text, client_order_id text)
LEFT JOIN venue_fills f ON f.venue = CAST(:venue AS venue_t) AND f.venue_fill_id = t.venue_fill_id
LEFT JOIN venue_orders n ON n.client_order_id = t.client_order_id AND n.account = :account AND n.venue = CAST(:venue AS venue_t)
                        AND n.sent_at IS NOT NULL
LEFT JOIN venue_orders r ON r.venue_ref = t.venue_ref AND r.account = :account AND r.venue = CAST(:venue AS venue_t)
                        AND r.mode = 'LIVE' AND r.sent_at IS NOT NULL
LEFT JOIN venue_orders o ON o.id = coalesce(f.order_id, n.id, r.id)
CROSS JOIN LATERAL (SELECT coalesce(sum(size), 0) AS booked FROM venue_closures
                    WHERE venue = CAST(:venue AS venue_t) AND venue_fill_id = t.venue_fill_id) c
WHERE o.id IS NOT NULL OR c.booked > 0;
