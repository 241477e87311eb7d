-- Question:   How many objects of each type are in the rows of a report, at a snapshot?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, type, whether it is memory that the interpreter keeps for reuse; objects and bytes.
--
-- A figure that is negative counts as 0.
WITH part AS MATERIALIZED (
    SELECT site_id, kind, ifnull(label, '') AS label, max(0, blocks) AS blocks, max(0, bytes) AS bytes
    FROM block_group WHERE snapshot_id = ?1 AND kind IN (1, 2))
SELECT c.row, g.label AS type, g.kind = 2 AS is_reuse, sum(g.blocks) AS objects, sum(g.bytes) AS bytes
FROM temp.credit AS c CROSS JOIN part AS g ON g.site_id = c.site_id
WHERE c.side = ?2
GROUP BY c.row, g.kind, g.label ORDER BY c.row, g.kind, g.label;
