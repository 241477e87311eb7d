-- Question:   Which sites has a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    site_id, ascending.
SELECT site_id FROM live WHERE snapshot_id = ?1 ORDER BY site_id;
