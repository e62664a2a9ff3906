-- Which server this database was set up at, each time that it was another one: a restore gets a new host and a new timeline
-- and knows of neither, since it has forgotten them.
CREATE TABLE known_servers (
    seen_at  timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    host     text NOT NULL CHECK (host <> ''),                 -- what setup reached it by
    timeline bigint CHECK (timeline > 0)                       -- PostgreSQL's; null: setup may not read it
);
CREATE TRIGGER known_servers_append_only BEFORE UPDATE OR DELETE ON known_servers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER known_servers_no_truncate BEFORE TRUNCATE ON known_servers EXECUTE FUNCTION refuse_change();

-- A restore that setup noticed: nobody has said yet to which moment, restored_to is null. And what a person took upon
-- themselves who ended one by their word.
ALTER TABLE restores ALTER COLUMN restored_to DROP NOT NULL,
    ADD COLUMN accepted text[],                                -- what was not matched then, one sentence each
    ADD CONSTRAINT restores_accepted_by_somebody CHECK (accepted IS NULL OR accepted_by IS NOT NULL);

-- As before, and: one to an unknown moment ends by a person's word, or with a later one whose moment was told.
CREATE OR REPLACE FUNCTION guard_restore() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ended constant text[] := ARRAY['matched_at', 'accepted_by', 'accepted'];
BEGIN
    IF OLD.matched_at IS NOT NULL OR NEW.matched_at IS NULL OR to_jsonb(OLD) - ended <> to_jsonb(NEW) - ended THEN
        RAISE EXCEPTION 'restore %: it is ended once, and nothing else changes', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM unowned_fills u WHERE u.decision IS NULL) THEN
        RAISE EXCEPTION 'restore %: fills without an owner wait for a decision', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.restored_to IS NULL AND NEW.accepted_by IS NULL
       AND NOT EXISTS (SELECT FROM restores r WHERE r.restored_to IS NOT NULL AND r.told_at > OLD.told_at) THEN
        RAISE EXCEPTION 'restore %: nobody has said to which moment', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
