# needs: xz tar sort xargs
seq 1 400000 | sort --parallel=4 -S 4M -R --random-source=/bin/sh | cksum
seq 1 400000 >f; xz -T4 -k -1 f; xz -dc f.xz | cksum; mkdir d; seq 1 200 | xargs -P 8 -n 10 sh -c 'for i; do echo $i >d/$i; done' sh
tar --sort=name --owner=0 --group=0 --mtime=@0 -czf - d | gzip -dc | cksum; timeout 1 sleep 10
