-- Question:   (adds how many objects of each type a census found)
-- Parameters: ?1 snapshot, whose groups are there.
-- Columns:    none.
-- A hostile file's figures may be too large to be added up as integers.
INSERT INTO object(snapshot_id, type, bytes, count)
SELECT snapshot_id, label, CAST(total(bytes) AS INTEGER), CAST(total(blocks) AS INTEGER)
FROM block_group WHERE snapshot_id = ?1 AND kind = 1 AND label IS NOT NULL GROUP BY label;
