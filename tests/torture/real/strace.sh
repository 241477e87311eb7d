# needs: strace
strace -f -o log -e trace=execve sh -c 'echo a | cat; exit 4'
