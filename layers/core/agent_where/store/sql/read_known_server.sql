-- Where this database was found last. No row: that was never kept.
SELECT host, timeline FROM known_servers ORDER BY seen_at DESC LIMIT 1;
