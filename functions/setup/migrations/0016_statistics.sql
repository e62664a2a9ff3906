-- Statistics and history that cost the same however long the history is.

-- Whose agent decided: null in rows from before, which stay as they are and are looked up by their signal.
ALTER TABLE venue_routing_history ADD COLUMN IF NOT EXISTS agent_id uuid;

CREATE FUNCTION tell_agent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.agent_id := (SELECT s.agent_id FROM signals s WHERE s.id = NEW.signal_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_routing_history_agent BEFORE INSERT ON venue_routing_history
    FOR EACH ROW WHEN (NEW.agent_id IS NULL) EXECUTE FUNCTION tell_agent();

-- A page of the history, by any of its filters, is read in its order. On a very long history make these five by hand
-- first, under these names and CONCURRENTLY: see docs/scaling.md.
CREATE INDEX IF NOT EXISTS venue_routing_history_by_time ON venue_routing_history (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS venue_routing_history_by_token ON venue_routing_history (token_symbol, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS venue_routing_history_by_venue ON venue_routing_history (selected_venue, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS venue_routing_history_by_agent ON venue_routing_history (agent_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS venue_routing_history_by_agent_token
    ON venue_routing_history (agent_id, token_symbol, created_at DESC, id DESC);
-- What the statistics read until now: the first two serve them as well.
DROP INDEX IF EXISTS venue_routing_history_decisions;
DROP INDEX IF EXISTS venue_routing_history_decisions_of_token;
DROP INDEX IF EXISTS venue_routing_history_failovers;

CREATE INDEX IF NOT EXISTS agents_by_creator ON agents (lower(creator_wallet));

-- What the decisions of MULTI signals in a stretch of time sum to, by whose agent decided. Kept for eight days and a bit,
-- since no window is longer than a week.
CREATE TABLE routing_sums (
    grain     "char" NOT NULL,                                 -- how long the stretch is: see routing_summed
    wallet    text NOT NULL,                                   -- the agents' creator in lower case; '': everybody
    since     timestamptz NOT NULL,
    tokens    text[] NOT NULL,                                 -- one place of the four for each token and venue
    venues    venue_t[] NOT NULL,                              -- null: no venue could trade it
    decisions bigint[] NOT NULL,                               -- first decisions, one a signal
    failovers bigint[] NOT NULL,
    ms        bigint[] NOT NULL,                               -- one place of the three for each whole millisecond
    times     bigint[] NOT NULL,                               -- how many first decisions took so long
    took_us   numeric[] NOT NULL,                              -- their microseconds, added up
    of_token  jsonb NOT NULL,                                  -- the last three of each token: {"BTC": "ms:times:took_us,..."}
    PRIMARY KEY (wallet, grain, since)
);
CREATE INDEX routing_sums_old ON routing_sums (grain, since);

-- The decisions with `since` <= created_at < `until` are summed at this grain, but for those in routing_late. Both null:
-- none are, and what is there is thrown away.
CREATE TABLE routing_summed (
    grain   "char" PRIMARY KEY,
    stretch interval NOT NULL,
    since   timestamptz,
    until   timestamptz CHECK (until >= since),
    CHECK ((since IS NULL) = (until IS NULL))
);
INSERT INTO routing_summed (grain, stretch) VALUES ('m', '5 minutes'), ('h', '1 hour'), ('q', '4 hours');

-- Decisions that came in when their stretch may have been summed already.
CREATE TABLE routing_late (
    history_id uuid NOT NULL,
    grain      "char" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (grain, created_at, history_id)
);

-- The start of the stretch that a moment is in. Stretches begin at whole hours and days, in UTC.
CREATE FUNCTION stretch_of(stretch interval, at timestamptz) RETURNS timestamptz IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT date_bin(stretch, at, timestamptz '2000-01-01 00:00:00+00') $$;

-- Which sums make up all that was decided from a moment on: the longest stretches in the middle, shorter ones around them,
-- and where no sum is (grain null) at both ends. Late decisions are none of them.
CREATE FUNCTION summed_parts(begins timestamptz) RETURNS TABLE (grain "char", since timestamptz, until timestamptz)
STABLE ROWS 7 LANGUAGE plpgsql AS $$
DECLARE
    inner_since timestamptz;
    inner_until timestamptz;
    g           routing_summed;
BEGIN
    since := begins;
    until := 'infinity';
    FOR g IN SELECT * FROM routing_summed s WHERE s.until IS NOT NULL ORDER BY s.stretch LOOP
        inner_since := stretch_of(g.stretch, greatest(since, g.since) + g.stretch - interval '1 microsecond');
        inner_until := stretch_of(g.stretch, least(until, g.until));
        EXIT WHEN inner_since >= inner_until;
        RETURN QUERY VALUES (grain, since, inner_since), (grain, inner_until, until);
        grain := g.grain;
        since := inner_since;
        until := inner_until;
    END LOOP;
    RETURN NEXT;
END
$$;

-- A decision is late if its stretch may have been summed when it is committed, however long that took and whatever the
-- clock did: asked at the commit, and of what is summed. A stretch is summed three minutes after its end at the earliest.
CREATE FUNCTION note_late_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.created_at < clock_timestamp() - interval '1 minute' OR EXISTS (SELECT FROM routing_summed g WHERE g.until > NEW.created_at) THEN
        INSERT INTO routing_late (history_id, grain, created_at)
        SELECT NEW.id, g.grain, NEW.created_at FROM routing_summed g
        WHERE NEW.created_at < greatest(g.until, clock_timestamp() - interval '1 minute');
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER venue_routing_history_late AFTER INSERT ON venue_routing_history
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_late_decision();

-- What an agent decided is its creator's: when that is another, all is summed anew. It waits for whoever sums with nothing
-- locked that he needs.
CREATE FUNCTION forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM FROM routing_summed WHERE grain = 'm' FOR UPDATE;
    UPDATE routing_summed SET since = NULL, until = NULL WHERE since IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER agents_summed_anew AFTER UPDATE OF creator_wallet ON agents
    FOR EACH ROW WHEN (lower(OLD.creator_wallet) IS DISTINCT FROM lower(NEW.creator_wallet)) EXECUTE FUNCTION forget_sums();

-- Sum one stretch, as it stands now.
CREATE FUNCTION sum_stretch(of_grain "char", of_since timestamptz, of_until timestamptz) RETURNS void LANGUAGE sql AS $$
    WITH included AS (
        DELETE FROM routing_late WHERE grain = of_grain AND created_at >= of_since AND created_at < of_until
    ), decided AS (
        SELECT coalesce(h.agent_id, (SELECT s.agent_id FROM signals s WHERE s.id = h.signal_id)) AS agent_id, h.token_symbol AS token, h.selected_venue AS venue,
               h.attempt = 1 AND h.deployment_id IS NULL AS is_first,
               coalesce(h.routing_duration_us, h.routing_duration_ms * 1000::bigint) AS took_us
        FROM venue_routing_history h
        WHERE h.created_at >= of_since AND h.created_at < of_until AND h.requested_venue = 'MULTI' AND h.token_symbol IS NOT NULL
          AND (h.attempt > 1 OR h.deployment_id IS NULL)
    ), owned AS MATERIALIZED (
        SELECT lower(a.creator_wallet) AS creator, d.token, d.venue, d.took_us / 1000 AS ms,
               count(*) FILTER (WHERE d.is_first) AS decisions, count(*) FILTER (WHERE NOT d.is_first) AS failovers,
               CAST(sum(d.took_us) FILTER (WHERE d.is_first) AS bigint) AS took_us
        FROM decided d
        LEFT JOIN agents a ON a.id = d.agent_id
        GROUP BY 1, 2, 3, 4
    ), cells AS MATERIALIZED (
        SELECT '' AS wallet, token, venue, ms, CAST(sum(decisions) AS bigint) AS decisions, CAST(sum(failovers) AS bigint) AS failovers,
               CAST(sum(took_us) AS bigint) AS took_us
        FROM owned GROUP BY token, venue, ms
        UNION ALL
        SELECT creator, token, venue, ms, decisions, failovers, took_us FROM owned WHERE creator <> ''
    ), counts AS (
        SELECT wallet, array_agg(token) AS tokens, array_agg(venue) AS venues, array_agg(decisions) AS decisions, array_agg(failovers) AS failovers
        FROM (SELECT wallet, token, venue, sum(decisions) AS decisions, sum(failovers) AS failovers FROM cells GROUP BY wallet, token, venue) c
        GROUP BY wallet
    ), times AS (
        SELECT wallet, array_agg(ms) AS ms, array_agg(times) AS times, array_agg(took_us) AS took_us
        FROM (SELECT wallet, ms, sum(decisions) AS times, sum(took_us) AS took_us
              FROM cells WHERE decisions > 0 AND ms IS NOT NULL GROUP BY wallet, ms) t
        GROUP BY wallet
    ), of_tokens AS (
        SELECT wallet, jsonb_object_agg(token, times) AS of_token
        FROM (SELECT wallet, token, string_agg(ms || ':' || times || ':' || took_us, ',') AS times
              FROM (SELECT wallet, token, ms, sum(decisions) AS times, sum(took_us) AS took_us
                    FROM cells WHERE decisions > 0 AND ms IS NOT NULL GROUP BY wallet, token, ms) t
              GROUP BY wallet, token) o
        GROUP BY wallet
    )
    INSERT INTO routing_sums AS s (grain, wallet, since, tokens, venues, decisions, failovers, ms, times, took_us, of_token)
    SELECT of_grain, c.wallet, of_since, c.tokens, c.venues, c.decisions, c.failovers,
           coalesce(t.ms, '{}'), coalesce(t.times, '{}'), coalesce(t.took_us, '{}'), coalesce(o.of_token, '{}')
    FROM counts c LEFT JOIN times t USING (wallet) LEFT JOIN of_tokens o USING (wallet)
    ON CONFLICT (wallet, grain, since) DO UPDATE
    SET tokens = excluded.tokens, venues = excluded.venues, decisions = excluded.decisions, failovers = excluded.failovers,
        ms = excluded.ms, times = excluded.times, took_us = excluded.took_us, of_token = excluded.of_token
$$;

-- Sum stretches that are over, and those anew that a late decision is in, for up to a third of a second; drop what no window
-- reaches any more. Returns whether there may be more to do. Any number may call it at any time: who finds another at it has
-- nothing to do. Where nobody has summed for longer than sums are kept it goes on from there; where the clock was far ahead it
-- begins anew.
CREATE FUNCTION sum_decisions() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
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

-- What runs with its owner's rights looks at its owner's tables, whoever calls.
DO $$
DECLARE
    told text;
BEGIN
    FOREACH told IN ARRAY ARRAY['note_late_decision()', 'forget_sums()', 'sum_decisions()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', told, current_schema());
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION note_late_decision(), forget_sums(), sum_decisions(), sum_stretch("char", timestamptz, timestamptz)
FROM PUBLIC;
