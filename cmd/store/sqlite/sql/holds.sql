-- Question:   Whom do the rows that are shown hold?
-- Parameters: ?1 snapshot, ?2 the most of them for each row.
-- Columns:    the place of the row that was asked for and its key, the role, the other's key and kind, and what refers.
--
-- Two holders of one row may refer to the same block: no link is more than what is held.
WITH link AS (
    SELECT f.row AS holder, t.row AS held, sum(e.refs) AS refs, sum(e.blocks) AS blocks, sum(e.bytes) AS bytes,
           sum(ifnull(e.dominated_bytes, 0)) AS dominated
    FROM edge AS e JOIN temp.member AS t ON t.is_root = 0 AND t.id = e.to_group_id
    JOIN temp.member AS f ON f.is_root = (e.from_group_id IS NULL) AND f.id = ifnull(e.from_group_id, e.from_root_id)
    WHERE e.snapshot_id = ?1 GROUP BY f.row, t.row),
size AS (
    SELECT m.row, sum(g.blocks) AS blocks, sum(g.bytes) AS bytes
    FROM block_group AS g JOIN temp.member AS m ON m.is_root = 0 AND m.id = g.id
    WHERE g.snapshot_id = ?1 GROUP BY m.row),
ranked AS (
    SELECT s.place, s.key AS "of", 'holds' AS role, n.key, n.kind,
           min(l.bytes, z.bytes) AS bytes, min(l.blocks, z.blocks) AS blocks, l.refs AS "references",
           l.dominated, row_number() OVER (
               PARTITION BY s.place ORDER BY min(l.bytes, z.bytes) DESC, l.held) AS rank
    FROM temp.shown AS s JOIN link AS l ON l.holder = s.row AND l.held <> l.holder
    JOIN temp.node AS n ON n.row = l.held JOIN size AS z ON z.row = l.held)
SELECT place, "of", role, key, kind, bytes, blocks, "references",
       CASE WHEN EXISTS (SELECT 1 FROM block_group WHERE snapshot_id = ?1 AND retained_bytes IS NOT NULL) THEN dominated END AS retained_bytes
FROM ranked WHERE rank <= ?2 ORDER BY place, rank;
