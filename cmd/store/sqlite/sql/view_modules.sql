-- Question:   What was mapped in each process?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW modules AS
SELECT p.snapshot_id, m.path AS module, m.build_id, p.base, p.size,
	r.value AS resident_bytes, w.value AS private_bytes
FROM mapping AS p JOIN module AS m ON m.id = p.module_id
LEFT JOIN metric AS r ON r.snapshot_id = p.snapshot_id
	AND r.name = printf('module_resident.%x.%s.%s', p.base, ifnull(m.build_id, ''), m.path)
LEFT JOIN metric AS w ON w.snapshot_id = p.snapshot_id
	AND w.name = printf('module_private.%x.%s.%s', p.base, ifnull(m.build_id, ''), m.path);
