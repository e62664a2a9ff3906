-- The open positions of an account at a venue where each stands for itself, under the lease of `token`. `busy`: an order of
-- ours may be closing it at this moment. `cursor`: up to where what others closed is booked, if that is of any use: what
-- was read long before the oldest of them was opened is not. `booked`: the executions that a position's size accounts for.
WITH own AS (
    SELECT * FROM venue_accounts
    WHERE account = :account AND venue = CAST(:venue AS venue_t)
      AND lease_token = CAST(:token AS uuid) AND lease_until > clock_timestamp()
), held AS (
    SELECT p.id, p.venue_ref, e.market_name, p.token_symbol, p.side, p.open_qty, p.opened_at,
           EXISTS (SELECT FROM venue_orders o WHERE o.position_id = p.id AND o.purpose <> 'ENTRY' AND o.status IN ('SENT', 'ACCEPTED')) AS busy,
           (SELECT coalesce(jsonb_agg(DISTINCT x.venue_fill_id), '[]') FROM exits_of(p.id) x) AS booked
    FROM own v
    JOIN positions p ON p.account = v.account AND p.venue = v.venue AND p.mode = 'LIVE' AND p.status = 'OPEN' AND p.venue_ref IS NOT NULL
    JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
)
SELECT now() AS now,
       v.unexplained,
       CASE WHEN v.compared_at > (SELECT min(h.opened_at) FROM held h) - interval '1 hour' THEN v.exits_cursor END AS cursor,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'busy', h.busy,
                   'held', jsonb_build_object('position_id', h.id, 'position_ref', h.venue_ref, 'market_name', h.market_name,
                                              'token_symbol', h.token_symbol, 'side', h.side, 'size', h.open_qty, 'booked', h.booked))
               ORDER BY h.opened_at, h.id), '[]')
        FROM held h) AS positions
FROM own v;
