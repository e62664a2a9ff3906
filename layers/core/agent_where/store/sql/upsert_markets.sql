-- One sync of a venue. Nothing changes when the answer lost more than half of the active markets;
-- otherwise what is in it is stored, and what is no longer in it becomes inactive.
WITH incoming AS (
    SELECT * FROM jsonb_to_recordset(CAST(:markets AS jsonb)) AS m (
        token_symbol text, market_name text, market_index int, is_active boolean, is_open boolean, multiplier numeric,
        min_position numeric, max_leverage numeric, market_group text, current_price numeric, taker_fee_bps numeric, metadata jsonb)
), before AS (
    SELECT count(*) AS active, count(i.token_symbol) AS kept
    FROM venue_markets m
    LEFT JOIN incoming i ON i.token_symbol = m.token_symbol AND i.is_active
    WHERE m.venue = CAST(:venue AS venue_t) AND m.is_active
), healthy AS (
    SELECT kept * 2 >= active AND EXISTS (SELECT FROM incoming WHERE is_active) AS ok, active, kept FROM before
), stored AS (
    INSERT INTO venue_markets AS m (venue, token_symbol, market_name, market_index, is_active, is_open, multiplier, min_position,
                                    max_leverage, "group", current_price, taker_fee_bps, metadata, last_synced)
    SELECT CAST(:venue AS venue_t), i.token_symbol, i.market_name, i.market_index, i.is_active, i.is_open, i.multiplier, i.min_position,
           i.max_leverage, i.market_group, i.current_price, i.taker_fee_bps, i.metadata, now()
    FROM incoming i, healthy h
    WHERE h.ok
    ON CONFLICT (venue, token_symbol) DO UPDATE
    SET market_name = excluded.market_name, market_index = excluded.market_index, is_active = excluded.is_active,
        is_open = excluded.is_open, multiplier = excluded.multiplier, min_position = excluded.min_position,
        max_leverage = excluded.max_leverage, "group" = excluded."group", taker_fee_bps = excluded.taker_fee_bps,
        current_price = coalesce(excluded.current_price, CASE WHEN NOT excluded.is_active THEN m.current_price END),
        metadata = coalesce(m.metadata, '{}') || excluded.metadata, last_synced = excluded.last_synced
    RETURNING m.is_active
), vanished AS (
    UPDATE venue_markets m SET is_active = false
    FROM healthy h
    WHERE h.ok AND m.venue = CAST(:venue AS venue_t) AND m.is_active
      AND NOT EXISTS (SELECT FROM incoming i WHERE i.token_symbol = m.token_symbol)
    RETURNING m.id
)
SELECT h.ok, h.active AS active_before, h.kept,
       (SELECT count(*) FROM stored) AS stored, (SELECT count(*) FROM stored WHERE is_active) AS active,
       (SELECT count(*) FROM vanished) AS vanished
FROM healthy h;
