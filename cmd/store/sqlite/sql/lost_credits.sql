-- Question:   What have the rows of a report lost, of the call stacks that count towards them?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, and what nothing reaches of it; live_bytes and live_blocks of it.
--
-- A figure that is negative counts as 0.
WITH stack AS MATERIALIZED (
    SELECT site_id, max(0, direct_bytes) AS direct_bytes, max(0, direct_blocks) AS direct_blocks,
           max(0, indirect_bytes) AS indirect_bytes, max(0, indirect_blocks) AS indirect_blocks,
           max(0, ring_blocks) AS ring_blocks, max(0, bytes) AS bytes, max(0, blocks) AS blocks
    FROM block_group WHERE snapshot_id = ?1 AND kind = 0)
SELECT c.row, sum(g.direct_bytes) AS direct_bytes, sum(g.direct_blocks) AS direct_blocks,
       sum(g.indirect_bytes) AS indirect_bytes, sum(g.indirect_blocks) AS indirect_blocks,
       sum(g.ring_blocks) AS ring_blocks, sum(g.bytes) AS live_bytes, sum(g.blocks) AS live_blocks,
       sum(g.direct_blocks + g.indirect_blocks) AS unreachable_blocks
FROM temp.credit AS c CROSS JOIN stack AS g ON g.site_id = c.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
