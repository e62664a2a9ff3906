-- What the ledger says that an account holds, market by market, under the lease of `token`. Markets where an order
-- ended as nothing executed since all was explained last are told too. `since`: from when on the venue's executions can
-- have something to do with it; all before the last agreement is settled, and so is what came before the first
-- entry of the positions that were open with those that are open now. Two minutes are for clocks that differ.
WITH own AS (
    SELECT * FROM venue_accounts
    WHERE account = :account AND venue = CAST(:venue AS venue_t)
      AND lease_token = CAST(:token AS uuid) AND lease_until > clock_timestamp()
), held AS (
    SELECT p.id, p.side, p.open_qty, p.opened_at, e.market_name, p.token_symbol
    FROM own v
    JOIN positions p ON p.account = v.account AND p.venue = v.venue AND p.mode = 'LIVE' AND p.status = 'OPEN'
    JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
), doubtful AS (
    SELECT o.market_name, o.token_symbol, o.sent_at
    FROM own v
    JOIN venue_orders o ON o.account = v.account AND o.venue = v.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL
                       AND o.status IN ('REJECTED', 'EXPIRED')
                       AND o.settled_at > coalesce(v.agreed_at, '-infinity') - interval '1 minute'
), beginning AS (
    SELECT min(f.at) AS at
    FROM own v
    JOIN positions p ON p.account = v.account AND p.venue = v.venue AND p.mode = 'LIVE'
                    AND (p.status = 'OPEN' OR p.closed_at >= (SELECT min(h.opened_at) FROM held h))
    JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
    JOIN venue_fills f ON f.order_id = e.id
), markets AS (
    SELECT market_name, token_symbol FROM held
    UNION
    SELECT market_name, token_symbol FROM doubtful
)
SELECT now() AS now,
       v.unexplained,
       coalesce(greatest(v.agreed_at, least((SELECT at FROM beginning), (SELECT min(d.sent_at) FROM doubtful d))), now())
           - interval '2 minutes' AS since,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'name', m.market_name,
                   'size_step', (SELECT k.metadata ->> 'size_step' FROM venue_markets k
                                 WHERE k.venue = v.venue AND k.token_symbol = m.token_symbol),
                   'busy', EXISTS (SELECT FROM venue_orders o
                                   WHERE o.account = v.account AND o.venue = v.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL
                                     AND o.market_name = m.market_name
                                     AND (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose IN ('ENTRY', 'CLOSE'))
                                          OR o.settled_at > now() - make_interval(secs => :settling_seconds))),
                   'doubtful', EXISTS (SELECT FROM doubtful d WHERE d.market_name = m.market_name),
                   'positions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'side', h.side, 'open_qty', h.open_qty)
                                                           ORDER BY h.opened_at, h.id), '[]')
                                 FROM held h WHERE h.market_name = m.market_name))
               ORDER BY m.market_name), '[]')
        FROM markets m) AS markets
FROM own v;
