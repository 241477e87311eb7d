-- Question:   What does each call stack look like as one text?
-- Parameters: none.
-- Columns:    see docs.c.  Functions are separated by `;`, the newest first.
CREATE VIEW stacks AS
SELECT s.id AS stack_id, s.depth,
       coalesce((SELECT group_concat(name, ';')
                 FROM (SELECT coalesce(f.function, '?') AS name
                       FROM json_each(s.frames) AS e JOIN frame AS f ON f.id = e.value
                       ORDER BY e.key)), '') AS stack
FROM site AS s;
