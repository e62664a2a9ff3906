-- What the ledger has of an account: its open positions by market, the oldest first, the executions since then, and
-- those of which a person has said whose they are.
SELECT now() AS now,
       (SELECT coalesce(jsonb_agg(m), '[]')
        FROM (SELECT e.market_name AS name,
                     (SELECT k.metadata ->> 'size_step' FROM venue_markets k WHERE k.venue = p.venue AND k.token_symbol = p.token_symbol) AS size_step,
                     jsonb_agg(jsonb_build_object('id', p.id, 'side', p.side, 'open_qty', p.open_qty) ORDER BY p.opened_at, p.id) AS positions
              FROM positions p
              JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
              WHERE p.account = :account AND p.venue = CAST(:venue AS venue_t) AND p.mode = 'LIVE' AND p.status::text = 'OPEN'
              GROUP BY e.market_name, p.venue, p.token_symbol) m) AS markets,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('venue_fill_id', f.venue_fill_id, 'order_id', f.order_id, 'size', f.size, 'at', f.at)
                                  ORDER BY f.at, f.venue_fill_id), '[]')
        FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
        WHERE o.account = :account AND o.venue = CAST(:venue AS venue_t) AND o.mode = 'LIVE' AND f.at >= CAST(:since AS timestamptz)) AS fills,
       (SELECT coalesce(jsonb_agg(u.venue_fill_id), '[]')
        FROM unowned_fills u
        WHERE u.account = :account AND u.venue = CAST(:venue AS venue_t) AND u.decision IS NOT NULL) AS decided;
