#!/usr/bin/env bash
# demo.sh BIN_DIR WORK_DIR: record two real programs and look at them in every way, as a tutorial.
# Each command is printed before its output, so that it can be typed again in WORK_DIR, where everything stays.
set -euo pipefail

bin=$(readlink -f "$1")
work=$2
here=$(dirname "$(readlink -f "$0")")
rm -rf "$work"
mkdir -p "$work"
cd "$work"
cp "$here/grow.sql" "$here/leaky_server.c" .
# Names without blanks and colons, wherever this tree is.
PATH=bin:$PATH
ln -s "$bin" bin
ln -s "$bin/../lib" lib
ln -s "$here/../../include" include

step() { printf '\n### %s\n' "$*"; }

# show COMMAND: print it as a person would type it, then run it.
show() {
	printf '\n$ %s\n' "$1"
	bash -c "$1"
}

step "1. A program that nobody here wrote: Debian's sqlite3 shell."
echo "A snapshot each time its live heap has grown by 4 MiB, and one when it exits."
show "snapdiff run -o sqlite --at-growth 4MiB -- sqlite3 :memory: '.read grow.sql'"
show "snapdiff ls sqlite"

first=$(find sqlite -name '*.snap' | sort | head -n 1)

step "2. What holds the most memory?  Debian's libsqlite3 is stripped: what it exports still tells."
echo "Of a directory the fullest snapshot is shown: at the exit nearly everything has been freed."
show "snapdiff top -n 5 sqlite"
show "snapdiff top -n 5 -g function --cumulative --show '^sqlite3_' sqlite"

step "3. What changed between the first snapshot and that one?"
show "snapdiff compare -n 5 -g function --show '^sqlite3_' $first sqlite"

step "4. A small leaky server that takes its own snapshots through the C API."
show "cc -O2 -g leaky_server.c -Iinclude -Llib -lsnap -pthread -Wl,-rpath,'\$ORIGIN/lib' -o leaky_server"
show "snapdiff run -o server -- ./leaky_server 12000 1000"

step "5. What keeps growing, over its snapshots?"
show "snapdiff growth server"

step "6. The same to look at: one HTML file, a chart, and the terminal browser."
show "snapdiff report -q --source . -o growth.html server"
echo "The page is $PWD/growth.html: open it in a browser."
show "COLUMNS=80 snapdiff growth --chart --explain session_remember server | head -n 38"
echo "snapdiff browse server shows it on a terminal."

step "7. The same in a script: exit code 1 when something leaks."
show "snapdiff growth -q --exit-code -f json server > growth.json || echo \"exit code \$?\""

step "8. Who calls the function that leaks?"
show "snapdiff peek session_remember server"

step "9. Ad-hoc SQL: load everything into a database and ask."
show "snapdiff load sqlite server --db memory.db"
show "snapdiff query --db memory.db \"select function, line, sum(live_blocks) as blocks, human(sum(live_bytes)) as live from top group by function, line order by sum(live_bytes) desc limit 5\""
show "sqlite3 -header -column memory.db \"select seq, sum(live_bytes) from history where function like 'session_remember%' group by snapshot_id order by seq limit 5\""

printf '\nThat was the tour; its files are in %s.  Now your own program:\n\n' "$PWD"
# shellcheck disable=SC2016  # PATH is for the reader to expand
case "$bin" in
*:*) printf '    alias snapdiff=%q\n' "$bin/snapdiff" ;; # PATH cannot hold it
*) printf '    export PATH=%q:"$PATH"\n' "$bin" ;;
esac
printf '    snapdiff run --every 10s -o my-snaps -- ./your-program and its arguments\n'
printf '    snapdiff growth my-snaps        # what keeps growing; snapdiff top my-snaps: what holds the most\n\n'
printf 'README.md says more; every command has a manual page.\n'
