-- Question:   Which frames does each call stack pass through?
-- Parameters: none.
-- Columns:    see docs.c.  Position 0 is the newest frame.
CREATE VIEW frames AS
SELECT s.id AS stack_id, e.key AS position, f.function, f.file, f.line, m.path AS module, f.inlined,
       f.address, m.build_id
FROM site AS s, json_each(s.frames) AS e JOIN frame AS f ON f.id = e.value
LEFT JOIN module AS m ON m.id = f.module_id;
