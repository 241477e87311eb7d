-- Question:   (sums up what the rows of a report have)
-- Parameters: ?1 snapshot.
-- Columns:    none.
--
-- If one group of a row retains another group of the same row, those bytes count once.
INSERT INTO temp.size
WITH part AS (
    SELECT m.row, g.bytes, g.blocks, g.direct_blocks + g.indirect_blocks AS lost_blocks, g.retained_bytes,
           g.retained_bytes IS NOT NULL AS sized
    FROM block_group AS g CROSS JOIN temp.member AS m ON m.is_root = 0 AND m.id = g.id WHERE g.snapshot_id = ?1
    UNION ALL
    SELECT m.row, NULL, NULL, NULL, r.retained_bytes, 0
    FROM root AS r CROSS JOIN temp.member AS m ON m.is_root = 1 AND m.id = r.id WHERE r.snapshot_id = ?1),
whole AS (
    SELECT row, sum(bytes) AS bytes, sum(blocks) AS blocks, sum(lost_blocks) AS lost_blocks,
           ifnull(sum(retained_bytes), 0) AS retained_bytes, max(sized) AS sized
    FROM part GROUP BY row)
SELECT w.row, w.bytes, w.blocks, w.lost_blocks, max(0, w.retained_bytes - ifnull(l.dominated_bytes, 0)), w.sized
FROM whole AS w LEFT JOIN temp.link AS l ON l.holder = w.row AND l.held = w.row;
