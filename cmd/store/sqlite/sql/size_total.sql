-- Question:   How many blocks has a snapshot, and how many are in the rows that are shown?
-- Parameters: ?1 snapshot.
-- Columns:    the scope, bytes, blocks.
--
-- A figure that is negative counts as 0, as in the rows.
SELECT 'all' AS scope, ifnull(sum(max(0, g.bytes)), 0) AS bytes,
       ifnull(sum(max(0, g.blocks)), 0) AS blocks
FROM block_group AS g WHERE g.snapshot_id = ?1
UNION ALL
SELECT 'shown', ifnull(sum(z.bytes), 0), ifnull(sum(z.blocks), 0)
FROM temp.shown AS s JOIN temp.size AS z ON z.row = s.row
ORDER BY scope;
