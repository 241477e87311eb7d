-- Question:   (counts as lost what nothing reaches in a snapshot)
-- Parameters: ?1 snapshot.
-- Columns:    none.
INSERT INTO temp.lost
SELECT id, kind, direct_bytes, direct_blocks, indirect_bytes, indirect_blocks, ring_blocks, bytes, blocks
FROM block_group WHERE snapshot_id = ?1;
