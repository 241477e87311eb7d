# needs: git
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main r; cd r || exit
for i in 1 2 3 4 5 6 7 8; do seq $i 3000 >f$i; git add .; git commit -q -m "c$i"; done
git checkout -q -b side HEAD~3; echo side >s; git add s; git commit -q -m side
git checkout -q main; git merge -q -m merge side; git gc -q; git fsck 2>&1
git log --stat --format='%H %s' | cksum; git clone -q . ../c; git -C ../c rev-parse HEAD
git bisect start -q HEAD HEAD~6 >/dev/null; git bisect run test ! -e f6 | grep -c 'bad commit'
git diff --quiet HEAD~1 || exit 3
