-- Question:   Which frames do the call stacks of these snapshots pass through?
-- Parameters: :snapshots, a JSON array of ids.
-- Columns:    id, function, file, module, line, inlined, address.
SELECT f.id, f.function, f.file, m.path AS module, f.line, f.inlined, f.address
FROM frame AS f LEFT JOIN module AS m ON m.id = f.module_id
WHERE f.id IN (SELECT e.value
               FROM json_each(:snapshots) AS s JOIN live AS l ON l.snapshot_id = s.value
               JOIN site AS t ON t.id = l.site_id, json_each(t.frames) AS e)
ORDER BY f.id;
