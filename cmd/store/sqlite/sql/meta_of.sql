-- Question:   What else is known of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    key, value.
SELECT key, value FROM meta WHERE snapshot_id = ?1 ORDER BY key;
