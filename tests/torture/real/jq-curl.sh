# needs: jq curl
jq -n '[range(60000) | {id: ., s: "v\(. * 7919 % 1009)"}]' >j
jq -c 'group_by(.s) | map(length) | add' j; curl -s "file://$PWD/j" | cksum; curl -s http://127.0.0.1:1/; exit $?
