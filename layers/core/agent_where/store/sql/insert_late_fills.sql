-- The fills of orders that had ended as nothing executed: kept, and the orders stay as they ended. Only while the
-- lease is ours, and once per order.
INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)
SELECT o.id, o.venue, f.venue_fill_id, f.size, f.price, f.fee_usd, f.at
FROM jsonb_to_recordset(CAST(:fills AS jsonb)) AS f (
    order_id uuid, venue_fill_id text, size numeric, price numeric, fee_usd numeric, at timestamptz)
JOIN venue_orders o ON o.id = f.order_id AND o.status IN ('REJECTED', 'EXPIRED') AND o.sent_at IS NOT NULL
JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
                     AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp()
WHERE NOT EXISTS (SELECT FROM positions p WHERE p.id = o.id)
RETURNING order_id;
