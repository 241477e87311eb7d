-- Question:   (adds a group of blocks of the graph of holders)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO block_group(snapshot_id, id, kind, label, site_id, blocks, bytes, direct_blocks, direct_bytes,
                        indirect_blocks, indirect_bytes, ring_blocks, retained_bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
