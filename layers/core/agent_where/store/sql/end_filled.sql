-- FILLED, with the figures that its stored fills sum to.
UPDATE venue_orders o
SET status = 'FILLED', settled_at = now(), filled_size = f.size, average_price = f.value / f.size, fee = f.fee, 
    detail = concat_ws('; ', nullif(o.detail, ''), nullif(:detail, ''))
FROM (SELECT sum(size) AS size, sum(size * price) AS value, sum(fee) AS fee
      FROM venue_fills WHERE order_id = CAST(:id AS uuid)) f
WHERE o.id = CAST(:id AS uuid) AND o.status IN ('SENT', 'ACCEPTED') AND f.size > 0
RETURNING o.id;
