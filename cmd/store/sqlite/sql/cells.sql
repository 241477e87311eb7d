-- Question:   What do the sites of a snapshot hold?
-- Parameters: ?1 snapshot.
-- Columns:    site_id, the four figures.
SELECT site_id, bytes, blocks, allocated_bytes, allocated_blocks FROM live WHERE snapshot_id = ?1 ORDER BY site_id;
