//! The breaker as a Node addon: conversions, and nothing that decides.
//!
//! The shared TypeScript is what users see. It reads a host's clock and tells the time before each operation, so no
//! host code runs while this crate does, and no exception is ever thrown by it: what is refused is returned.
//!
//! All `unsafe` stands in `js`.

// Node's symbols are linked; a linker that cannot leave them open would need them looked up.
#[cfg(target_env = "msvc")]
compile_error!("there is no native build for this platform: the WebAssembly build serves it");

mod backend;
mod convert;
mod js;

use js::{Env, Js};

/// What the addon exports: `create`, the names of the `operations`, and the `version` that has to be the package's own.
fn exports<'call>(env: Env<'call>, exports: Js<'call>) -> Option<()> {
    env.set(exports, c"version", env.text(env!("CARGO_PKG_VERSION"))?)?;
    env.set(exports, c"operations", backend::operations(env)?)?;
    env.set(exports, c"create", env.function(c"create", (), |(), env, arguments| backend::create(env, arguments))?)
}
