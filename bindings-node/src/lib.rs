//! The breaker as a Node addon: the border, and nothing that decides.
//!
//! The shared TypeScript is what users see. No exception is ever thrown by this crate: what is refused is returned.
//!
//! All `unsafe` stands in `js`.

// Node's symbols are linked; a linker that cannot leave them open would need them looked up.
#[cfg(target_env = "msvc")]
compile_error!("there is no native build for this platform: the WebAssembly build serves it");

mod circuits;
mod clock;
mod js;

use std::rc::Rc;

use circuits::Circuits;
use js::{Env, Js};

/// What the addon exports: functions, and the `version` that has to be the package's own.
fn exports<'call>(env: Env<'call>, exports: Js<'call>) -> Option<()> {
    let all = Rc::new(Circuits::default());
    env.set(exports, c"version", env.text(env!("CARGO_PKG_VERSION"))?)?;
    env.set(exports, c"create", env.function(c"create", Rc::clone(&all), circuits::create)?)?;
    env.set(exports, c"free", env.function(c"free", Rc::clone(&all), circuits::free)?)?;
    env.set(exports, c"enter", env.function(c"enter", Rc::clone(&all), circuits::enter)?)?;
    env.set(exports, c"settle", env.function(c"settle", Rc::clone(&all), circuits::settle)?)?;
    env.set(exports, c"wait", env.function(c"wait", Rc::clone(&all), circuits::wait)?)?;
    env.set(exports, c"operate", env.function(c"operate", all, circuits::operate)?)
}
