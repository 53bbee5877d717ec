//! Leaves Node's symbols to be found when Node loads the addon, where the platform's linker has to be told.

fn main() {
    napi_build::setup();
}
