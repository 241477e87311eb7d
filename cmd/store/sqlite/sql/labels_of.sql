-- Question:   Which labels has a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    key, value.
SELECT key, value FROM label WHERE snapshot_id = ?1 ORDER BY key;
