"""Reasons for missed targets, printed below the table."""

COUNTED = (
    "a call is counted when it is admitted and when it succeeds, each with an atomic addition. Two of them take most "
    "of the target (see the floors below)."
)
TIMED = (
    "where Linux does not keep its own time by the processor's counter, the two readings of the clock take about 50 ns "
    "(see the floors below)."
)
REJECTED = (
    "a rejection has an exact `retry_after` and is counted. Counting is an atomic addition, and where Linux does not "
    "keep its own time by the processor's counter, reading the clock as a number takes longer than reading `Instant` "
    "(see the floors below); recloser does not count rejections."
)
INTERPRETED = (
    "a wrapper function, or in `async` a wrapper coroutine, and the object that settles the call if its frame is "
    "dropped take most of it; the rest is two readings of the clock (see the floors of Rust)."
)
CLOCKED = (
    "durations need two readings of Node's clock, about 33 ns each; cockatiel reads no clock. Without durations the "
    "rest is one `then` with two closures, two calls into the module, and a check for room on the stack."
)
NATIVE = (
    "a call enters the addon twice, and one entry through Node-API costs more than a whole call with WebAssembly. "
    "Therefore Node loads the WebAssembly build by default, and the native one shares breakers between threads."
)
BROWSER = (
    "two calls into the module take about 25 ns, the two checks for room on the stack 14 to 20. The rest is the permit "
    "and its tracking until the turn ends."
)
SIZE = (
    "it contains the whole core. The pool and its replay take 21 KB, the registry's policy 7, the TypeScript and the "
    "glue 10; the rest is the state machine, the windows, snapshots, and the texts of `explain` and of refusals."
)
STREAMED = (
    "the consumer's time does not count, so the time is read twice for each item: where Linux does not keep its own "
    "time by the processor's counter, by readings of the clock, which take 45 to 52 ns."
)
ASYNC_STREAMED = (
    "each item passes through an awaitable of the compiled core, and the consumer's time does not count, so the time "
    "is read twice for each item."
)
