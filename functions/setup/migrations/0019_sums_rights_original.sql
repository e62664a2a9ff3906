-- What a review of 0008, 0011, 0016 and 0017 found: sums that could miss a decision, rights that went too far, and rows of the
-- original that could no longer be written.

-- A decision is late if its stretch may have been summed when it is committed, however long that took and whatever the
-- clock did: asked at the commit, and of what is summed. (0016 asked when the row was written, and of the clock alone.)
CREATE OR REPLACE FUNCTION note_late_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.created_at < clock_timestamp() - interval '1 minute' OR EXISTS (SELECT FROM routing_summed g WHERE g.until > NEW.created_at) THEN
        INSERT INTO routing_late (history_id, grain, created_at)
        SELECT NEW.id, g.grain, NEW.created_at FROM routing_summed g
        WHERE NEW.created_at < greatest(g.until, clock_timestamp() - interval '1 minute');
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER venue_routing_history_late ON venue_routing_history;
CREATE CONSTRAINT TRIGGER venue_routing_history_late AFTER INSERT ON venue_routing_history
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_late_decision();

-- As before, but it waits for whoever sums with nothing locked that he needs.
CREATE OR REPLACE FUNCTION forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM FROM routing_summed WHERE grain = 'm' FOR UPDATE;
    UPDATE routing_summed SET since = NULL, until = NULL WHERE since IS NOT NULL;
    RETURN NULL;
END
$$;

-- As before, and: where nobody has summed for longer than sums are kept it goes on from there, and where the clock was far
-- ahead it begins anew.
CREATE OR REPLACE FUNCTION sum_decisions() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    oldest  CONSTANT timestamptz := stretch_of('1 day', now() - interval '8 days');
    is_over CONSTANT timestamptz := now() - interval '3 minutes';
    next    record;
BEGIN
    PERFORM FROM routing_summed WHERE grain = 'm' FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM routing_summed WHERE since IS NULL OR since > now()) THEN
        TRUNCATE routing_sums;                                 -- whoever still reads it is waited for
        UPDATE routing_summed SET since = oldest, until = oldest;
    END IF;
    DELETE FROM routing_sums s USING routing_summed g WHERE s.grain = g.grain AND s.since < oldest;
    UPDATE routing_summed SET since = oldest, until = greatest(until, oldest) WHERE since < oldest;
    DELETE FROM routing_late l USING routing_summed g WHERE l.grain = g.grain AND l.created_at < g.since;
    WHILE clock_timestamp() < statement_timestamp() + interval '300 milliseconds' LOOP
        -- Where nothing was decided there is nothing to sum.
        UPDATE routing_summed g SET until = empty.until
        FROM (SELECT s.grain, least(stretch_of(s.stretch, is_over), stretch_of(s.stretch, (
                  SELECT min(h.created_at) FROM venue_routing_history h WHERE h.created_at >= s.until))) AS until
              FROM routing_summed s) empty
        WHERE empty.grain = g.grain AND empty.until > g.until;

        SELECT g.grain, g.until AS since, g.until + g.stretch AS until INTO next
        FROM routing_summed g WHERE g.until + g.stretch <= is_over
        ORDER BY g.until + g.stretch, g.stretch LIMIT 1;
        IF NOT FOUND THEN
            SELECT g.grain, stretch_of(g.stretch, l.created_at) AS since, stretch_of(g.stretch, l.created_at) + g.stretch AS until INTO next
            FROM routing_summed g JOIN routing_late l ON l.grain = g.grain AND l.created_at < g.until LIMIT 1;
        END IF;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        PERFORM sum_stretch(next.grain, next.since, next.until);
        UPDATE routing_summed SET until = greatest(until, next.until) WHERE grain = next.grain;
    END LOOP;
    RETURN true;
END
$$;

-- The audit is written with its owner's rights and by nobody else's; and who owns a table of his own, if only a temporary
-- one, cannot put what runs with the owner's rights on it.
ALTER FUNCTION audit_control() SECURITY DEFINER;

-- The original's positions may have no signal, where its tables let them: a check that is not of their concern refused each
-- change of such a row.
ALTER TABLE positions DROP CONSTRAINT positions_unexpected_has_no_signal;
ALTER TABLE positions ADD CONSTRAINT positions_unexpected_has_no_signal
    CHECK (mode IS NULL OR unexpected = (signal_id IS NULL)) NOT VALID;

-- And its history may tell what was selected without what was checked. Rows of this system always tell their strategy.
ALTER TABLE venue_routing_history DROP CONSTRAINT venue_routing_history_selected_was_checked;
ALTER TABLE venue_routing_history ADD CONSTRAINT venue_routing_history_selected_was_checked
    CHECK (strategy IS NULL OR selected_venue IS NULL
           OR (selected_venue <> 'MULTI' AND selected_venue::text = ANY (checked_venues))) NOT VALID;

-- What runs with its owner's rights looks at its owner's tables, whoever calls.
DO $$
DECLARE
    told text;
BEGIN
    FOREACH told IN ARRAY ARRAY['note_late_decision()', 'forget_sums()', 'sum_decisions()', 'audit_control()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', told, current_schema());
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION note_late_decision(), forget_sums(), audit_control() FROM PUBLIC;
