//! Passes the linker's option for symbols that exist only once Node loads the addon, on platforms that need one.

fn main() {
    napi_build::setup();
}
