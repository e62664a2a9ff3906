-- How the system is, at one look.
SELECT clock_timestamp() AS now,
       current_setting('server_version') AS version,
       (SELECT count(*) FROM schema_migrations) AS migrations,
       (SELECT network FROM installation) AS network,
       (SELECT coalesce(jsonb_object_agg(v.venue, to_jsonb(v)), '{}')
        FROM (SELECT m.venue, count(*) AS markets, max(m.last_synced) AS last_synced
              FROM venue_markets m WHERE m.is_active GROUP BY m.venue) v) AS venues,
       (SELECT jsonb_build_object('at', f.at, 'figures', f.figures) FROM system_figures f) AS figures,
       control_for(NULL, NULL, NULL) AS control,
       EXISTS (SELECT FROM restores r WHERE r.matched_at IS NULL) AS restoring,
       (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]')
        FROM (SELECT * FROM trading_controls WHERE state <> 'ACTIVE'
              ORDER BY scope = 'deployment', by_operator DESC, set_at DESC LIMIT :at_most) c) AS controls;
