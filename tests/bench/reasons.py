"""Why some targets are not met: printed below the table, each where it applies."""

COUNTED = (
    "a call is counted when it is admitted and when it has succeeded, and each is an addition that no other thread may "
    "tear: the floors below show what one takes, and little is left beside two of them."
)
REJECTED = (
    "what the caller is told is exact to the nanosecond, and counted. Our clock takes longer to read than `Instant`, "
    "because it becomes a number, and a count is an atomic addition (both are among the floors); recloser counts none."
)
INTERPRETED = (
    "two readings of the clock are some 50 ns of it (see the floors of Rust). The rest is a function around the "
    "function, or in `async` a coroutine around the coroutine, and the object that gives a call back wherever its "
    "frame is dropped."
)
CLOCKED = (
    "two readings of Node's clock take as long as all else that is added to the call, and cockatiel reads none "
    "(compare the column without durations). Without them it lies at the limit, from run to run on either side."
)
NATIVE = (
    "a call enters the addon twice, and by Node-API each entry costs more than the WebAssembly build needs for the "
    "whole call. That is why Node loads the other build where nobody asks for this one."
)
BROWSER = (
    "two calls from JavaScript into a module that does nothing take 9 ns here, the permit 4, and to remember it until "
    "its turn ends 6 (measured by leaving out all else): more than the target before anything is decided."
)
SIZE = (
    "the whole core is in it. Without snapshots it would be 7 KB less, without `explain`, status, events and durations "
    "4, and the TypeScript is 6; what is left is the machine, the windows, the configuration with its texts, and the "
    "allocator. Optimised for size alone it would save 1 KB, and calls would take twice as long."
)
