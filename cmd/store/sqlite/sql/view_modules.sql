-- Question:   What was mapped in each process?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW modules AS
SELECT p.snapshot_id, m.path AS module, m.build_id, p.base, p.size
FROM mapping AS p JOIN module AS m ON m.id = p.module_id;
