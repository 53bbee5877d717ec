"""Reasons for missed targets, printed below the table."""

COUNTED = (
    "a call is counted when it is admitted and when it succeeds, each with an atomic addition. Two of them take most "
    "of the target (see the floors below)."
)
REJECTED = (
    "a rejection has an exact `retry_after` and is counted. Reading the clock as a number takes longer than reading "
    "`Instant`, and counting is an atomic addition (see the floors below); recloser does not count rejections."
)
INTERPRETED = (
    "two readings of the clock take about 50 ns (see the floors of Rust). The rest is a wrapper function, or in "
    "`async` a wrapper coroutine, and the object that settles the call if its frame is dropped."
)
CLOCKED = (
    "two readings of Node's clock take as long as the rest of the overhead, and cockatiel reads no clock (compare the "
    "column without durations). Without them the result is close to the limit, above or below it from run to run."
)
NATIVE = (
    "a call enters the addon twice, and one entry through Node-API costs more than the whole call with WebAssembly. "
    "Therefore Node loads the WebAssembly build by default."
)
BROWSER = (
    "two calls from JavaScript into an empty module take 9 ns here, the permit takes 4, and tracking it until the turn "
    "ends takes 6 (each measured alone): together more than the target, without any decision."
)
SIZE = (
    "it contains the whole core. Snapshots take 7 KB, `explain`, status, events and durations 4 KB, and the TypeScript "
    "6 KB; the rest is the state machine, the windows, the configuration with its texts, and the allocator. Optimising "
    "for size only would save 1 KB and double the time of a call."
)
STREAMED = (
    "the consumer's time does not count, so each item needs two readings of the clock (see the column without "
    "durations). In `async` the guard is an async generator around another one, and every item passes through both."
)
