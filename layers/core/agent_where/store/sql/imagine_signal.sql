-- In the place of the tables, before read_signal.sql: a signal that stands nowhere, as it would come in now, and
-- its agent. Nobody's signal, under the id that no agent has, counts as an ACTIVE agent's.
WITH signals AS (
    SELECT i.* FROM jsonb_populate_record(
        CAST(NULL AS signals), jsonb_build_object('created_at', now(), 'received_at', now()) || CAST(:imagined AS jsonb)) i
), agents AS (
    SELECT a.id, a.status FROM agents a
    UNION ALL
    SELECT '00000000-0000-0000-0000-000000000000', 'ACTIVE'
)
