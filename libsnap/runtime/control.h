/*
 * runtime/control.h - how a recorded process is talked to.
 *
 * Each recording process listens on an abstract unix socket, once somebody has asked for it
 * (doorbell.h); snap/control.h says how it is named.  Only the process's own user and root are
 * answered.  One request per connection, a line of at most SNAP__CONTROL_LINE_MAX bytes; the answer
 * ends with the connection.
 *
 *   snap <label>   take a snapshot, named <label> unless that is empty
 *                  -> ok <absolute path>      once the file is durable
 *                  -> error <sentence>
 *   holders <label>, retained <label>
 *                  the same, with the graph of holders; `retained` with sizes
 *   census <label>, census-holders <label>, census-retained <label>
 *                  the same, with the objects of an interpreter
 *   dir            -> ok <absolute path of the output directory>
 *   status         -> lines `<key> <value>`, then an empty line.  Keys: dir program pid seq
 *                  uptime_ns live_bytes live_blocks peak_bytes allocated_bytes
 *                  allocated_blocks freed_blocks rate_per_second (recorded allocations, over the
 *                  whole time) allocator sample_period stacks rss recorder_memory
 *                  recorder_memory_percent (of rss) process_cpu_ns recorder_cpu_ns
 *                  recorder_cpu_percent (of process_cpu_ns, which includes it) losses.* (as in a
 *                  snapshot, without those that only a snapshot has)
 *   flush          -> ok                      once every snapshot asked for before is durable
 *   anything else  -> error unknown request
 */
#ifndef SNAP_RUNTIME_CONTROL_H
#define SNAP_RUNTIME_CONTROL_H

#define SNAP__CONTROL_NAME     "snapdiff."
#define SNAP__CONTROL_LINE_MAX 1024

#endif
