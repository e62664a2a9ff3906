-- Where this database is from now on, whatever the clock of the server before said.
INSERT INTO known_servers (seen_at, host, timeline)
SELECT greatest(clock_timestamp(), max(k.seen_at) + interval '1 microsecond'), :host, CAST(:timeline AS bigint)
FROM known_servers k
RETURNING seen_at;
