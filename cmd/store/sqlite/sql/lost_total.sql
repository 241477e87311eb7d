-- Question:   What does nothing reach in a snapshot, and in the rows that are shown?
-- Parameters: ?1 snapshot.
-- Columns:    the scope, and what it lost; live_bytes and live_blocks of it.
--
-- An interpreter's objects are in blocks, too: those count once.
SELECT 'all' AS scope, sum(g.direct_bytes + g.indirect_bytes) AS unreachable_bytes,
       sum(g.direct_blocks + g.indirect_blocks) AS unreachable_blocks,
       sum(g.direct_bytes) AS direct_bytes, sum(g.direct_blocks) AS direct_blocks,
       sum(g.indirect_bytes) AS indirect_bytes, sum(g.indirect_blocks) AS indirect_blocks,
       sum(g.bytes) AS live_bytes, sum(g.blocks) AS live_blocks
FROM block_group AS g
WHERE g.snapshot_id = ?1 AND (g.kind = 0 OR g.direct_blocks + g.indirect_blocks > 0)
UNION ALL
SELECT 'shown' AS scope, sum(g.direct_bytes + g.indirect_bytes) AS unreachable_bytes,
       sum(g.direct_blocks + g.indirect_blocks) AS unreachable_blocks,
       sum(g.direct_bytes) AS direct_bytes, sum(g.direct_blocks) AS direct_blocks,
       sum(g.indirect_bytes) AS indirect_bytes, sum(g.indirect_blocks) AS indirect_blocks,
       sum(g.bytes) AS live_bytes, sum(g.blocks) AS live_blocks
FROM temp.shown AS s JOIN temp.member AS m ON m.is_root = 0 AND m.row = s.row
JOIN block_group AS g ON g.snapshot_id = ?1 AND g.id = m.id;
