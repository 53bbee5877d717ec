//! Compiles this crate again when napi's tool asks for it. The attributes write their declarations while the crate is
//! compiled, and the tool asks where these are missing, for example in a tree that was moved.

fn main() {
    println!("cargo::rerun-if-env-changed=NAPI_FORCE_BUILD_HALFOPEN_JS");
}
