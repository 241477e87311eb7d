-- Question:   (makes a site that only the graph of holders knows one that the snapshot holds nothing of)
-- Parameters: ?1 snapshot, ?2 site.
-- Columns:    none.
INSERT OR IGNORE INTO live(snapshot_id, site_id, bytes, blocks, allocated_bytes, allocated_blocks)
VALUES (?1, ?2, 0, 0, 0, 0);
