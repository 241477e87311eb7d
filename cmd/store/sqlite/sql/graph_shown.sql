-- Question:   What does nothing reach of the rows that are shown, and what do they retain?
-- Parameters: ?1 snapshot, ?2 side, ?3 whether rows overlap: what they retain is not asked then.
-- Columns:    the row's place, bytes that nothing reaches, bytes that it retains; its key.
--
-- Groups of blocks of one kind are call stacks.  If one group of a row retains another group of the same row, those
-- bytes count once.  A figure that is negative counts as 0.
WITH stack AS MATERIALIZED (
    SELECT id, site_id, max(0, direct_bytes) + max(0, indirect_bytes) AS lost, max(0, retained_bytes) AS retained_bytes
    FROM block_group WHERE snapshot_id = ?1 AND kind = 0),
part AS (
    SELECT s.place, s.key, g.id, g.lost, g.retained_bytes
    FROM temp.shown AS s CROSS JOIN temp.credit AS c ON c.side = ?2 AND c.row = s.row
    CROSS JOIN stack AS g ON g.site_id = c.site_id),
inside AS (
    SELECT t.place, sum(max(0, e.dominated_bytes)) AS bytes
    FROM edge AS e CROSS JOIN part AS t ON t.id = e.to_group_id
    CROSS JOIN part AS f ON f.id = e.from_group_id AND f.place = t.place
    WHERE e.snapshot_id = ?1 AND NOT ?3 GROUP BY t.place)
SELECT p.place, sum(p.lost) AS unreachable_bytes,
       CASE WHEN NOT ?3 AND EXISTS (SELECT 1 FROM block_group WHERE snapshot_id = ?1 AND retained_bytes IS NOT NULL)
            THEN max(0, sum(ifnull(p.retained_bytes, 0)) - ifnull(i.bytes, 0)) END AS retained_bytes, p.key
FROM part AS p LEFT JOIN inside AS i ON i.place = p.place
GROUP BY p.place ORDER BY p.place;
