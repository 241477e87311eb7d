-- Question:   Whom do the rows that are shown hold?
-- Parameters: ?1 the most of them for each row.
-- Columns:    the place of the row that was asked for, the other's row, how many it holds, and what refers; the role, and the
--             keys of both and the other's kind.
--
-- Two holders of one row may refer to the same block: no link is more than what is held.
WITH ranked AS (
    SELECT s.place, l.held AS row, count(*) OVER (PARTITION BY s.place) AS links,
           min(l.bytes, z.bytes) AS bytes, min(l.blocks, z.blocks) AS blocks, l.refs, l.dominated_bytes,
           'holds' AS role, s.key AS "of",
           row_number() OVER (PARTITION BY s.place ORDER BY min(l.bytes, z.bytes) DESC, l.held) AS rank
    FROM temp.shown AS s CROSS JOIN temp.link AS l ON l.holder = s.row AND l.held <> l.holder
    CROSS JOIN temp.size AS z ON z.row = l.held)
SELECT r.place, r.row, r.links, r.bytes, r.blocks, r.refs AS "references",
       CASE WHEN (SELECT max(sized) FROM temp.size) THEN r.dominated_bytes END AS retained_bytes, r.role, r."of", n.key, n.kind
FROM ranked AS r JOIN temp.node AS n ON n.row = r.row
WHERE r.rank <= ?1 ORDER BY r.place, r.rank;
