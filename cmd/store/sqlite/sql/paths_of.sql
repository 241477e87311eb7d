-- Question:   Which example paths has the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    as below, a row for each step; by path and position.
SELECT p.id, p.group_id, p.root_id, p."offset", p.skipped, s.group_id, s.address, s.size, s."offset"
FROM path AS p LEFT JOIN step AS s ON s.snapshot_id = p.snapshot_id AND s.path_id = p.id
WHERE p.snapshot_id = ?1 ORDER BY p.id, s.position;
