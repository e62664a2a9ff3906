-- What venues refused of late is counted each minute.
CREATE INDEX venue_orders_refused ON venue_orders (settled_at) WHERE status = 'REJECTED' AND mode = 'LIVE';
