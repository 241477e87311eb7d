-- Question:   Does an edge of a snapshot refer to a group of blocks or a root that is not there?
-- Parameters: ?1 snapshot, ?2 its groups, ?3 its roots; their ids rise from 0.
-- Columns:    the edge; at most one row.
SELECT id FROM edge
WHERE snapshot_id = ?1
  AND NOT ifnull(to_group_id >= 0 AND to_group_id < ?2
                 AND CASE WHEN from_root_id IS NULL THEN from_group_id >= 0 AND from_group_id < ?2
                          ELSE from_root_id >= 0 AND from_root_id < ?3 END, 0)
LIMIT 1;
