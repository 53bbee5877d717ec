//! Lets the host set the module's own stack upright: see `stack` in `ts/wasm.ts`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=--export=__stack_pointer");
}
