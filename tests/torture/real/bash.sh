# needs: bash
bash -c '
trap "echo a trap" USR1
for i in $(seq 1 25); do (echo $i | cat; echo $(expr $i + 1)) & wait; done
coproc { cat; }; echo through >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; echo "$x"
kill -USR1 $$; (kill -9 $BASHPID); echo $?; diff <(seq 1 5) <(seq 2 6); exec sh -c "exit 7"' 2>/dev/null
