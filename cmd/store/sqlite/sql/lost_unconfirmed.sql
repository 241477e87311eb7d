-- Question:   What does nothing reach in a snapshot, but a second one did not confirm?
-- Parameters: ?1 snapshot.
-- Columns:    bytes, blocks.
SELECT sum(max(0, g.direct_bytes) + max(0, g.indirect_bytes) - l.direct_bytes - l.indirect_bytes) AS unconfirmed_bytes,
       sum(max(0, g.direct_blocks) + max(0, g.indirect_blocks) - l.direct_blocks - l.indirect_blocks)
           AS unconfirmed_blocks
FROM block_group AS g CROSS JOIN temp.lost AS l ON l.id = g.id
WHERE g.snapshot_id = ?1;
