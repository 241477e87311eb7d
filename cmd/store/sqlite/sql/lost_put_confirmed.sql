-- Question:   (counts as lost what nothing reaches in a snapshot, as far as a second one confirms it)
-- Parameters: ?1 snapshot, ?2 the second one.
-- Columns:    none.
--
-- An unreachable block stays unreachable.  If the second snapshot finds less unreachable for a call stack, the first
-- one was wrong by the difference.  A figure that is negative counts as 0, so that the sum is that of the rows.
INSERT INTO temp.lost
WITH figure AS NOT MATERIALIZED (
    SELECT snapshot_id, id, kind, ifnull(site_id, 0) AS site_id, ifnull(label, '') AS label,
           max(0, direct_bytes) AS direct_bytes, max(0, direct_blocks) AS direct_blocks,
           max(0, indirect_bytes) AS indirect_bytes, max(0, indirect_blocks) AS indirect_blocks,
           max(0, ring_blocks) AS ring_blocks, max(0, bytes) AS bytes, max(0, blocks) AS blocks
    FROM block_group),
second AS (
    SELECT site_id, label, sum(direct_bytes) AS direct_bytes, sum(direct_blocks) AS direct_blocks,
           sum(indirect_bytes) AS indirect_bytes, sum(indirect_blocks) AS indirect_blocks,
           sum(ring_blocks) AS ring_blocks
    FROM figure WHERE snapshot_id = ?2 GROUP BY site_id, label),
judged AS (
    SELECT g.*, s.direct_bytes AS direct_bytes_2, s.direct_blocks AS direct_blocks_2,
           s.indirect_bytes AS indirect_bytes_2, s.indirect_blocks AS indirect_blocks_2, s.ring_blocks AS ring_blocks_2,
           CASE WHEN s.site_id IS NULL THEN 'nothing'
                WHEN s.direct_blocks + s.indirect_blocks < g.direct_blocks + g.indirect_blocks
                     AND s.direct_bytes + s.indirect_bytes <= g.direct_bytes + g.indirect_bytes THEN 'second'
                ELSE 'first' END AS counts
    FROM figure AS g
    LEFT JOIN second AS s ON s.site_id = g.site_id AND s.label = g.label
    WHERE g.snapshot_id = ?1)
SELECT id, kind,
       CASE counts WHEN 'first' THEN direct_bytes WHEN 'second' THEN direct_bytes_2 ELSE 0 END,
       CASE counts WHEN 'first' THEN direct_blocks WHEN 'second' THEN direct_blocks_2 ELSE 0 END,
       CASE counts WHEN 'first' THEN indirect_bytes WHEN 'second' THEN indirect_bytes_2 ELSE 0 END,
       CASE counts WHEN 'first' THEN indirect_blocks WHEN 'second' THEN indirect_blocks_2 ELSE 0 END,
       CASE counts WHEN 'first' THEN ring_blocks WHEN 'second' THEN ring_blocks_2 ELSE 0 END,
       bytes, blocks
FROM judged;
