-- Question:   Who holds blocks of the rows of a comparison, and held none of them before?
-- Parameters: ?1 the old snapshot, ?2 the new one.
-- Columns:    the row, the holder's row, what that holds of it, and what the row has on both sides; the keys of the holder
--             and its kind.
--
-- Holders of one row are the same holder, on both sides.  Two that make up a holder may refer to the same block: it holds
-- no more than the row has.  A figure that is negative counts as 0.
WITH side(number, snapshot_id) AS (VALUES (0, ?1), (1, ?2)),
stack AS MATERIALIZED (
    SELECT s.number AS side, g.id, g.site_id, max(0, g.blocks) AS blocks, max(0, g.bytes) AS bytes
    FROM side AS s CROSS JOIN block_group AS g ON g.snapshot_id = s.snapshot_id AND g.kind = 0),
part AS MATERIALIZED (
    SELECT g.side, g.id, c.row, g.blocks, g.bytes
    FROM side AS s CROSS JOIN temp.credit AS c ON c.side = s.number
    CROSS JOIN stack AS g ON g.side = c.side AND g.site_id = c.site_id),
whole AS MATERIALIZED (SELECT side, row, sum(blocks) AS blocks, sum(bytes) AS bytes FROM part GROUP BY side, row),
tie AS (
    SELECT p.row, m.row AS holder, s.number AS side, max(0, e.blocks) AS blocks, max(0, e.bytes) AS bytes
    FROM side AS s CROSS JOIN edge AS e ON e.snapshot_id = s.snapshot_id
    CROSS JOIN part AS p ON p.side = s.number AND p.id = e.to_group_id
    CROSS JOIN temp.member AS m
        ON m.side = s.number AND m.is_root = (e.from_root_id IS NOT NULL) AND m.id = ifnull(e.from_root_id, e.from_group_id)
    WHERE m.row <> p.row),
fresh AS (
    SELECT row, holder, sum(blocks) AS blocks, sum(bytes) AS bytes FROM tie GROUP BY row, holder HAVING min(side) = 1)
SELECT f.row, f.holder, min(f.blocks, w.blocks) AS blocks, min(f.bytes, w.bytes) AS bytes,
       ifnull(o.blocks, 0) AS old_blocks, w.blocks AS new_blocks, n.key, n.kind
FROM fresh AS f CROSS JOIN temp.node AS n ON n.row = f.holder
CROSS JOIN whole AS w ON w.side = 1 AND w.row = f.row
LEFT JOIN whole AS o ON o.side = 0 AND o.row = f.row
ORDER BY f.row, bytes DESC, n.key, n.kind, f.holder;
