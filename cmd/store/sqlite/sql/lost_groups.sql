-- Question:   What counts as lost, of each group of blocks?
-- Parameters: none.
-- Columns:    as below; by id.
SELECT id, direct_bytes, direct_blocks, indirect_bytes, indirect_blocks, ring_blocks, bytes, blocks
FROM temp.lost ORDER BY id;
