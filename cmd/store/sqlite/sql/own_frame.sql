-- Question:   Which frame of the user's own code names a call stack?
-- Parameters: ?1 site.
-- Columns:    the frame as a line of stack_text; no row where there is no own code.
SELECT coalesce(f.function, '?') || coalesce(' ' || f.file || coalesce(':' || f.line, ''), ' ' || m.path, '')
FROM site AS s JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id
WHERE s.id = ?1 AND s.named >= 0;
