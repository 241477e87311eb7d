-- Question:   Which places outside of all blocks keep blocks alive, and how much?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW roots AS
SELECT r.snapshot_id, r.id AS root_id,
       CASE r.kind WHEN 0 THEN 'global' WHEN 1 THEN 'thread-local' WHEN 2 THEN 'stack' WHEN 3 THEN 'registers'
                   WHEN 4 THEN 'thread' WHEN 5 THEN 'mapping' WHEN 6 THEN 'loader' WHEN 7 THEN 'interpreter'
                   WHEN 8 THEN 'kernel'
                   ELSE 'kind ' || r.kind END AS kind,
       r.name, r.label, m.path AS module, r.thread, r.symbol, r."offset", r.address, r.size, r.retained_bytes
FROM root AS r LEFT JOIN module AS m ON m.id = r.module_id;
