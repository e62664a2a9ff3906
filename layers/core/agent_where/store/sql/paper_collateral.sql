-- What a paper account has free, in USD: the starting balance and the ledger's own gains and fees,
-- less what open positions and entries on their way have tied up.
SELECT CAST(:starting_balance_usd AS numeric)
     + (SELECT coalesce(sum(coalesce(p.pnl, -p.fees_usd)), 0) FROM positions p
        WHERE p.account = :account AND p.venue = CAST(:venue AS venue_t) AND p.mode = 'PAPER')
     - (SELECT coalesce(sum(p.open_qty * p.entry_price / p.leverage), 0) FROM positions p
        WHERE p.account = :account AND p.venue = CAST(:venue AS venue_t) AND p.mode = 'PAPER' AND p.status = 'OPEN')
     - (SELECT coalesce(sum(o.size * o.limit_price * (1 / o.leverage + m.taker_fee_bps / 10000)
                            + coalesce((m.metadata ->> 'order_fee_usd')::numeric, 0)), 0)
        FROM venue_orders o
        JOIN venue_markets m ON m.venue = o.venue AND m.token_symbol = o.token_symbol
        WHERE o.account = :account AND o.venue = CAST(:venue AS venue_t) AND o.mode = 'PAPER'
          AND o.purpose = 'ENTRY' AND o.status IN ('SENT', 'ACCEPTED')) AS free_collateral_usd;
