-- Question:   What did the process say at a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    name, value.
SELECT name, value FROM metric WHERE snapshot_id = ?1 ORDER BY name;
