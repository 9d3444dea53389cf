"""Every bound and deadline of the library, each with its reason."""

#: How long a connection may take to be made, in seconds. A gateway in the same building answers within milliseconds.
CONNECT_DEADLINE = 10.0

#: How long an answer may take, in seconds. The gateway itself answers a call after 15 s, or after what its operator has set.
ANSWER_DEADLINE = 90.0

#: The largest message and the largest answer that are read, in bytes. Protects memory; a status has at most 1 MiB.
MESSAGE_MAX_BYTES = 16 * 1024 * 1024

#: How long a websocket may say nothing, in seconds. The gateway sends a ping after 30 s without a word from here.
SILENCE_MAX = 90.0

#: The pause before a lost websocket is opened again, in seconds; doubled at each failure, up to the second one.
RETRY_FIRST, RETRY_MAX = 0.25, 15.0

#: How long a gateway of the script's own may take to be ready, in seconds, on a machine that is busy.
START_DEADLINE = 60.0

#: How long its modules may then take to start, in seconds. Until then a call that did not run because its module starts is made
#: again, after this pause; a program in Python starts within a second.
MODULES_START_DEADLINE, RETRY_PAUSE = 20.0, 0.05

#: How long it may take to end, in seconds; it needs 8 s at most. Past it it is killed.
STOP_DEADLINE = 10.0

#: How many of its last lines an error repeats when it does not start.
LINES_KEPT = 40

#: How many actions are remembered with the place that they lead to. Past it all are looked up again.
PLACES_MAX = 1_000

#: Systems that are asked for at a time, as many as the gateway gives.
PAGE = 500

#: Hooks of a script that are answered at a time. Past it a call is answered at once with the code 503.
HANDLERS_MAX = 32

