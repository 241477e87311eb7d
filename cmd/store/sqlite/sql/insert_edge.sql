-- Question:   (adds that a group or a root refers to a group)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO edge(snapshot_id, id, from_root_id, from_group_id, to_group_id, refs, blocks, bytes,
                 dominated_blocks, dominated_bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
