-- Question:   (counts as lost what nothing reaches in a snapshot)
-- Parameters: ?1 snapshot.
-- Columns:    none.
--
-- A figure that is negative counts as 0, so that the sum is that of the rows.
INSERT INTO temp.lost
SELECT id, kind, max(0, direct_bytes), max(0, direct_blocks), max(0, indirect_bytes), max(0, indirect_blocks),
       max(0, ring_blocks), max(0, bytes), max(0, blocks)
FROM block_group WHERE snapshot_id = ?1;
