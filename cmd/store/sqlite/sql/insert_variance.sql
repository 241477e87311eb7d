-- Question:   (adds how far a sampled site's figures may be off)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO variance(snapshot_id, site_id, bytes, blocks, allocated_bytes, allocated_blocks)
VALUES (?, ?, ?, ?, ?, ?);
