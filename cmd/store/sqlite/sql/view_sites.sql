-- Question:   Which call sites are known, and what names them?
-- Parameters: none.
-- Columns:    see docs.c.  A site is named by its newest frame of own code.
CREATE VIEW sites AS
SELECT s.id AS site_id, s.id AS stack_id, s.domain, s.depth, f.function, f.file, f.line, m.path AS module,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM site AS s LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
