# needs: setpriv ls:/usr/lib/postgresql/*/bin/postgres
bin=$(echo /usr/lib/postgresql/*/bin | cut -d' ' -f1)
chmod 777 . # the server refuses to run as root
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
as "$bin/initdb" -D data -A trust -U u --locale=C.UTF-8 >log 2>&1 || exit 9
as "$bin/pg_ctl" -D data -w -l server.log -o "-k $PWD -h ''" start >>log || exit 8
"$bin/psql" -X -q -A -t -h "$PWD" -U u postgres <<'X'
create table t(a int primary key, b text);
insert into t select i, md5(i::text) from generate_series(1, 60000) i;
create index u on t(b); update t set b = b || 'x' where a % 3 = 0; delete from t where a % 7 = 0; vacuum analyze t;
select count(*), sum(length(b)), min(b) from t;
select md5(string_agg(b, ',' order by a)) from t;
X
as "$bin/pg_ctl" -D data -w -m fast stop >>log
