-- Question:   (adds what a site holds)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO live(snapshot_id, site_id, bytes, blocks, allocated_bytes, allocated_blocks)
VALUES (?, ?, ?, ?, ?, ?);
