-- Question:   How many blocks are in the rows that are shown, and how much do they retain?
-- Parameters: ?1 snapshot.
-- Columns:    the row's key, its place and kind, and what it has; of a root only what it retains.
--
-- If one group of a row retains another group of the same row, those bytes count once.
WITH part AS (
    SELECT m.row, g.blocks, g.bytes, g.direct_blocks + g.indirect_blocks AS lost, g.retained_bytes
    FROM block_group AS g JOIN temp.member AS m ON m.is_root = 0 AND m.id = g.id WHERE g.snapshot_id = ?1
    UNION ALL
    SELECT m.row, NULL, NULL, NULL, r.retained_bytes
    FROM root AS r JOIN temp.member AS m ON m.is_root = 1 AND m.id = r.id WHERE r.snapshot_id = ?1),
inside AS (
    SELECT t.row, sum(ifnull(e.dominated_bytes, 0)) AS bytes
    FROM edge AS e JOIN temp.member AS t ON t.is_root = 0 AND t.id = e.to_group_id
    JOIN temp.member AS f ON f.is_root = (e.from_group_id IS NULL) AND f.id = ifnull(e.from_group_id, e.from_root_id)
    WHERE e.snapshot_id = ?1 AND f.row = t.row GROUP BY t.row)
SELECT s.key, s.place, n.kind, sum(p.bytes) AS bytes, sum(p.blocks) AS blocks, sum(p.lost) AS unreachable_blocks,
       CASE WHEN EXISTS (SELECT 1 FROM block_group WHERE snapshot_id = ?1 AND retained_bytes IS NOT NULL) THEN max(0, sum(ifnull(p.retained_bytes, 0)) - ifnull(i.bytes, 0)) END AS retained_bytes
FROM temp.shown AS s JOIN temp.node AS n ON n.row = s.row JOIN part AS p ON p.row = s.row
LEFT JOIN inside AS i ON i.row = s.row
GROUP BY s.place ORDER BY s.place;
