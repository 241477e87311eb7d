-- Question:   How many live bytes does a snapshot hold, as far as known?
-- Parameters: ?1 snapshot.
-- Columns:    the scope, bytes.
SELECT 'all' AS scope, sum(l.bytes) AS live_bytes FROM live AS l WHERE l.snapshot_id = ?1;
