-- Question:   Who refers to whom in the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    as below; by id.
SELECT from_root_id, from_group_id, to_group_id, refs, blocks, bytes, dominated_blocks, dominated_bytes
FROM edge WHERE snapshot_id = ?1 ORDER BY id;
