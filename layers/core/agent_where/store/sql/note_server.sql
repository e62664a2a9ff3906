-- Where this database is from now on.
INSERT INTO known_servers (host, timeline) VALUES (:host, CAST(:timeline AS bigint))
RETURNING seen_at;
