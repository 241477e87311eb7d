# needs: erl
erl -noshell -eval '
L = [integer_to_list(X * 7919 rem 100003) || X <- lists:seq(1, 200000)],
S = lists:sort(L), io:format("~p ~s~n", [length(S), hd(S)]),
P = self(),
[spawn(fun() -> P ! lists:sum([X * N || X <- lists:seq(1, 20000)]) end) || N <- lists:seq(1, 20)],
io:format("~p~n", [lists:sort([receive M -> M end || _ <- lists:seq(1, 20)])]),
io:format("~s", [os:cmd("echo child")]), halt(5).'
