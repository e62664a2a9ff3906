-- Executions that nothing accounts for, each once.
INSERT INTO unowned_fills (venue, venue_fill_id, account, market_name, token_symbol, side, size, price, fee, held_before, at, venue_ref,
                           client_order_id)
SELECT CAST(:venue AS venue_t), f.venue_fill_id, :account, f.market_name, f.token_symbol, f.side, f.size, f.price, f.fee_usd, f.held_before, f.at,
       f.venue_ref, f.client_order_id
FROM jsonb_to_recordset(CAST(:fills AS jsonb)) AS f (
    venue_fill_id text, market_name text, token_symbol text, side text, size numeric, price numeric, fee_usd numeric, held_before numeric,
    at timestamptz, venue_ref text, client_order_id text)
ON CONFLICT DO NOTHING
RETURNING venue_fill_id;
