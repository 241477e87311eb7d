# needs: go gcc
"$PREPARED/g"
