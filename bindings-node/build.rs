//! Leaves Node's symbols to be found when Node loads the addon, where the platform's linker needs an option for it.

fn main() {
    napi_build::setup();
}
