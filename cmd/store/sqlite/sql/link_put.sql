-- Question:   (sums up who refers to whom in a snapshot, by the rows of a report)
-- Parameters: ?1 snapshot.
-- Columns:    none.
--
-- A figure that is negative counts as 0.
INSERT INTO temp.link
SELECT f.row, t.row, sum(max(0, e.refs)), sum(max(0, e.blocks)), sum(max(0, e.bytes)),
       sum(max(0, ifnull(e.dominated_bytes, 0)))
FROM edge AS e CROSS JOIN temp.member AS t ON t.side = 0 AND t.is_root = 0 AND t.id = e.to_group_id
CROSS JOIN temp.member AS f
    ON f.side = 0 AND f.is_root = (e.from_root_id IS NOT NULL) AND f.id = ifnull(e.from_root_id, e.from_group_id)
WHERE e.snapshot_id = ?1
GROUP BY f.row, t.row;
