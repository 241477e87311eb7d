-- Question:   Which call sites are known, and what names them?
-- Parameters: none.
-- Columns:    see docs.c.  A site is named by its newest frame that is not allocator plumbing.
CREATE VIEW sites AS
SELECT s.id AS site_id, s.id AS stack_id, s.domain, s.depth, f.function, f.file, f.line, m.path AS module
FROM site AS s LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
