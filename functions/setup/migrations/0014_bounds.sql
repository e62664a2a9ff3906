-- As before, but bounds do not keep each other from their place: one fires, and the other is taken back.
CREATE OR REPLACE FUNCTION closable_qty(of_position uuid, for_order uuid) RETURNS numeric STABLE LANGUAGE sql AS $$
    SELECT p.open_qty - coalesce((
        SELECT sum(o.size) FROM venue_orders o
        WHERE o.position_id = p.id AND o.id <> for_order AND o.purpose <> 'ENTRY'
          AND ((o.status = 'SENT' AND (o.purpose = 'CLOSE' OR NOT f.is_bound)) OR (o.status = 'ACCEPTED' AND o.purpose = 'CLOSE'))), 0)
    FROM positions p,
         LATERAL (SELECT EXISTS (SELECT FROM venue_orders x
                                 WHERE x.id = for_order AND x.purpose IN ('TAKE_PROFIT', 'STOP_LOSS')) AS is_bound) f
    WHERE p.id = of_position
$$;
