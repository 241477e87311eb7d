-- Question:   Which frames are there?
-- Parameters: none.
-- Columns:    the fields of struct store_frame.
SELECT f.id, f.function, f.file, m.path, f.line, f.inlined, f.address
FROM frame AS f LEFT JOIN module AS m ON m.id = f.module_id ORDER BY f.id;
