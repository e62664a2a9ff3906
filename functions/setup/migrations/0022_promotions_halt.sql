-- PostgreSQL's timeline, from the WAL that is being written: a promoted standby is on a new one from its first write on, where the
-- control file keeps the old one until a checkpoint has ended, minutes later. Refused by a standby, which writes none.
CREATE FUNCTION timeline_now() RETURNS bigint STABLE LANGUAGE sql AS $$
    SELECT CAST(CAST('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS bit(32)) AS bigint)
$$;

-- Whether the server has begun a timeline that nobody has looked at yet: it began from a backup, or is a standby that was
-- promoted and may lack what was committed last. What cannot be read says nothing: a standby writes none, and a server that is
-- run by somebody else may not tell.
CREATE FUNCTION is_promoted() RETURNS boolean STABLE LANGUAGE plpgsql AS $$
DECLARE
    known constant bigint := (SELECT k.timeline FROM known_servers k ORDER BY k.seen_at DESC LIMIT 1);
BEGIN
    RETURN coalesce(known <> timeline_now(), false);
EXCEPTION WHEN object_not_in_prerequisite_state OR feature_not_supported OR insufficient_privilege THEN
    RETURN false;
END
$$;

-- As before, and: nothing trades on such a timeline until reconcile has begun a restore, which it does each minute.
CREATE OR REPLACE FUNCTION control_for(of_venue text, of_agent uuid, of_deployment uuid) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM restores r WHERE r.matched_at IS NULL) OR is_promoted() THEN 'HALTED' ELSE coalesce((
        SELECT c.state FROM trading_controls c
        WHERE c.scope = 'global' OR (c.scope = 'venue' AND c.id = of_venue)
           OR (c.scope = 'agent' AND c.id = of_agent::text) OR (c.scope = 'deployment' AND c.id = of_deployment::text)
        ORDER BY array_position(ARRAY['HALTED', 'CLOSE_ONLY', 'ACTIVE'], c.state) LIMIT 1
    ), 'ACTIVE') END
$$;
