//! Lets napi's tool have this crate compiled again where the declarations of its attributes are missing, as in a tree that
//! was moved. The attributes write them as the crate is compiled.

fn main() {
    println!("cargo::rerun-if-env-changed=NAPI_FORCE_BUILD_HALFOPEN_JS");
}
