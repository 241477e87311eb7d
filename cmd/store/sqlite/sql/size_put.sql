-- Question:   (sums up what the rows of a report have)
-- Parameters: ?1 snapshot.
-- Columns:    none.
--
-- If one group of a row retains another group of the same row, those bytes count once.  A figure that is negative
-- counts as 0, so that the sum is that of the rows.
INSERT INTO temp.size
WITH part AS (
    SELECT m.row, max(0, g.bytes) AS bytes, max(0, g.blocks) AS blocks,
           max(0, g.direct_blocks) + max(0, g.indirect_blocks) AS lost_blocks,
           max(0, g.retained_bytes) AS retained_bytes, g.retained_bytes IS NOT NULL AS sized
    FROM block_group AS g CROSS JOIN temp.member AS m ON m.side = 0 AND m.is_root = 0 AND m.id = g.id WHERE g.snapshot_id = ?1
    UNION ALL
    SELECT m.row, NULL, NULL, NULL, max(0, r.retained_bytes), 0
    FROM root AS r CROSS JOIN temp.member AS m ON m.side = 0 AND m.is_root = 1 AND m.id = r.id WHERE r.snapshot_id = ?1),
whole AS (
    SELECT row, sum(bytes) AS bytes, sum(blocks) AS blocks, sum(lost_blocks) AS lost_blocks,
           ifnull(sum(retained_bytes), 0) AS retained_bytes, max(sized) AS sized
    FROM part GROUP BY row)
SELECT w.row, w.bytes, w.blocks, w.lost_blocks, max(0, w.retained_bytes - ifnull(l.dominated_bytes, 0)), w.sized
FROM whole AS w LEFT JOIN temp.link AS l ON l.holder = w.row AND l.held = w.row;
