# needs: zsh
zsh -f -c 'for i in {1..10}; do (echo $i | cat) ; done; a=({1..2000}); print ${#a} $(expr 3 + 4); exit 3'
