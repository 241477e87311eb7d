# needs: nginx curl
mkdir -p logs body; seq 1 20000 >page.txt
cat >c <<X
user root; worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error notice; events {}
http { access_log off; gzip on; gzip_types text/plain; default_type text/plain;
client_body_temp_path body; proxy_temp_path body; fastcgi_temp_path body; uwsgi_temp_path body; scgi_temp_path body;
server { listen unix:$PWD/s; root $PWD; } }
X
nginx -p . -c "$PWD/c" -g 'daemon off;' 2>err &
server=$!
while ! [ -s pid ]; do sleep .05; done
get() { for _ in 1 2 3 4 5 6 7 8 9 10; do curl -s --compressed --unix-socket s http://host/page.txt | cksum; done; }
get; kill -HUP $server; sleep .5; get
curl -s -o page -w '%{http_code}\n' --unix-socket s http://host/missing
nginx -p . -c "$PWD/c" -s quit 2>>err
wait $server
status=$?
grep -c 'emerg\|alert\|crit' logs/error
exit $status
