-- Question:   Which frame is this?
-- Parameters: ?1 frame.
-- Columns:    the fields of struct store_frame.
SELECT f.id, f.function, f.file, m.path, f.line, f.inlined, f.address
FROM frame AS f LEFT JOIN module AS m ON m.id = f.module_id WHERE f.id = ?1;
