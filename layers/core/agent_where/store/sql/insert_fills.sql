-- The fills of an order that was sent, each once.
INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)
SELECT o.id, o.venue, f.venue_fill_id, f.size, f.price, f.fee_usd, f.at
FROM venue_orders o, jsonb_to_recordset(CAST(:fills AS jsonb)) AS f (
    venue_fill_id text, size numeric, price numeric, fee_usd numeric, at timestamptz)
WHERE o.id = CAST(:id AS uuid) AND o.status IN ('SENT', 'ACCEPTED')
ON CONFLICT DO NOTHING
RETURNING venue_fill_id;
