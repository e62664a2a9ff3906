-- Markets as last synced.
SELECT venue, token_symbol, market_name, market_index, is_active, is_open, multiplier, min_position, max_leverage,
       taker_fee_bps, "group", current_price, last_synced
FROM venue_markets
WHERE (CAST(:venue AS text) IS NULL OR venue = CAST(CAST(:venue AS text) AS venue_t))
  AND (CAST(:token_symbol AS text) IS NULL OR token_symbol = CAST(:token_symbol AS text))
ORDER BY token_symbol, venue
LIMIT :at_most;
