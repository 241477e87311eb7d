-- Question:   How many groups and roots has the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    groups, roots, groups whose retained size is known.
SELECT count(*), (SELECT count(*) FROM root WHERE snapshot_id = ?1), count(retained_bytes)
FROM block_group WHERE snapshot_id = ?1;
