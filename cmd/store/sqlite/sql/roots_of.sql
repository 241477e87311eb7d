-- Question:   Which roots has the graph of a snapshot?
-- Parameters: ?1 snapshot.
-- Columns:    as below; by id.
SELECT r.id, r.kind, r.name, r.label, m.path, r.thread, r.address, r.size, r.symbol, r."offset", r.retained_bytes
FROM root AS r LEFT JOIN module AS m ON m.id = r.module_id WHERE r.snapshot_id = ?1 ORDER BY r.id;
