"""Every bound and deadline of the library, each with its reason."""

#: The longest message from the gateway, in bytes. The gateway takes far smaller ones from its clients, so a longer line
#: is no message; the driver ends instead of keeping a line that has no end.
MESSAGE_MAX_BYTES = 16 * 1024 * 1024

#: The longest value of a status and the longest result of a call, in bytes of JSON. A longer one is the author's mistake
#: (a whole file, a list that only grows); the gateway ends a process whose line has more than 4 MiB.
VALUE_MAX_BYTES = 1024 * 1024

#: Messages that have been read and not been handled yet. Past it nothing more is read, so the gateway waits.
INBOX_MAX = 64

#: Calls that have begun and have no answer yet. Past it a call is answered at once with the code 503.
CALLS_MAX = 1_000

#: Messages that wait to be written. Past it a status that waits takes its newer value, and log lines are dropped with a
#: count. Some ten thousand lines a second fill it within a tenth of a second when the gateway does not read.
OUTBOX_MESSAGES_MAX = 1_024

#: The same in bytes, for large values.
OUTBOX_BYTES_MAX = 4 * 1024 * 1024

#: How many statuses a module may have, as in the gateway.
STATUSES_MAX = 4_096

#: The longest log line, in characters; the rest is cut off.
LOG_LINE_MAX = 8 * 1024

#: The most digits of a whole number. Python reads no more from text, and longer ones take long to read.
DIGITS_MAX = 4_000

#: The longest name of a status or a function, as in the gateway.
NAME_MAX_BYTES = 512

#: The longest name that an error repeats, in characters: it comes from a client.
NAME_SHOWN_MAX = 100

#: How long ``stop`` may take, in seconds, when the gateway is gone. A new gateway starts the module soon, and
#: two of them must not talk to one device for long.
STOP_DEADLINE = 3.0

#: How long the last messages may take to be written, in seconds.
FLUSH_DEADLINE = 1.0

#: After how many seconds a plain function that others wait for is a warning in the log.
SLOW_AFTER = 10.0

#: Requests about other modules that have no answer yet, as many as the gateway takes. Past it a request fails at once.
REQUESTS_MAX = 512

#: What a module follows at a time, as in the gateway.
FOLLOWS_MAX = 1_024

#: Messages of a channel that wait for their handler. Past it a message is left out, with a warning in the log.
MESSAGES_MAX = 256
