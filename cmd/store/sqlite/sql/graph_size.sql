-- Question:   How many groups and roots has the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    groups, roots.
SELECT (SELECT count(*) FROM block_group WHERE snapshot_id = ?1),
       (SELECT count(*) FROM root WHERE snapshot_id = ?1);
