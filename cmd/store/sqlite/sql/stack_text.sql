-- Question:   How does a call stack read?
-- Parameters: ?1 site.
-- Columns:    one line per frame, newest first.
SELECT coalesce(f.function, '?') || coalesce(' ' || f.file || coalesce(':' || f.line, ''), ' ' || m.path, '')
FROM site AS s, json_each(s.frames) AS e JOIN frame AS f ON f.id = e.value LEFT JOIN module AS m ON m.id = f.module_id
WHERE s.id = ?1 ORDER BY e.key;
