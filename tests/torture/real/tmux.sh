# needs: tmux
touch out
tmux -S "$PWD/s" -f /dev/null new-session -d 'seq 1 300 >out; exit 3' \; set-option -g remain-on-exit on
until [ "$(wc -l <out)" = 300 ]; do sleep .05; done
tmux -S "$PWD/s" kill-server
cksum out
