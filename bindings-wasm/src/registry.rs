//! The policy of a registry.

use halfopen_js::Registry;
use wasm_bindgen::prelude::*;

use crate::convert::{from_js, refusal};

/// The names of a registry. Each method is described in the crate `halfopen-js`.
#[wasm_bindgen(js_name = RegistryPolicy)]
pub struct WasmRegistry(Registry);

#[wasm_bindgen(js_class = RegistryPolicy)]
impl WasmRegistry {
    /// See [`Registry::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "Plain")] bound: JsValue) -> Result<WasmRegistry, JsValue> {
        Ok(Self(Registry::new(&from_js(bound)?).map_err(refusal)?))
    }

    /// See [`Registry::bound`].
    pub fn bound(&self) -> f64 {
        self.0.bound()
    }

    /// See [`Registry::set_bound`].
    #[wasm_bindgen(js_name = setBound)]
    pub fn set_bound(&mut self, #[wasm_bindgen(unchecked_param_type = "Plain")] bound: JsValue) -> Result<(), JsValue> {
        self.0.set_bound(&from_js(bound)?).map_err(refusal)
    }

    /// See [`Registry::add`].
    pub fn add(&mut self, name: &str) -> bool {
        self.0.add(name)
    }

    /// See [`Registry::remove`].
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// See [`Registry::make_room`].
    #[wasm_bindgen(js_name = makeRoom)]
    pub fn make_room(&mut self) {
        self.0.make_room();
    }

    /// See [`Registry::search_all`].
    #[wasm_bindgen(js_name = searchAll)]
    pub fn search_all(&mut self) {
        self.0.search_all();
    }

    /// See [`Registry::next_look`].
    #[wasm_bindgen(js_name = nextLook)]
    pub fn next_look(&mut self) -> Option<String> {
        self.0.next_look()
    }

    /// See [`Registry::size`].
    pub fn size(&self) -> usize {
        self.0.size()
    }
}
