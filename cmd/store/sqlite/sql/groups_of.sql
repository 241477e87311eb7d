-- Question:   Which groups of blocks has the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    as below; by id.
SELECT id, kind, label, site_id, blocks, bytes, direct_blocks, direct_bytes, indirect_blocks, indirect_bytes,
       ring_blocks, retained_bytes
FROM block_group WHERE snapshot_id = ?1 ORDER BY id;
