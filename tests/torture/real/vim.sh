# needs: vim
seq 1 20000 >f
vim -n -u NONE -es -c '%s/7/seven/g' -c 'g/3$/d' -c 'sort! n' -c 'wq' f
cksum f
