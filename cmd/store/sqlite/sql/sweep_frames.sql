-- Question:   (deletes the frames that are in no call stack)
-- Parameters: none.
-- Columns:    none.
DELETE FROM frame WHERE id NOT IN (SELECT f.value FROM site, json_each(site.frames) AS f);
