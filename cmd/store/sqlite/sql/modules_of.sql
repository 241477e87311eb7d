-- Question:   What was mapped at a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    path, build_id, base, size.
SELECT m.path, m.build_id, p.base, p.size FROM mapping AS p JOIN module AS m ON m.id = p.module_id
WHERE p.snapshot_id = ?1 ORDER BY m.path, p.base;
