//! The policy of a registry.

use halfopen_js::Registry;
use napi::bindgen_prelude::{Env, Result, Unknown};
use napi_derive::napi;

use crate::values::{OrThrow, from_js};

/// The names of a registry. Each method is described in the crate `halfopen-js`.
#[napi]
pub struct RegistryPolicy(Registry);

#[napi]
impl RegistryPolicy {
    #[napi(constructor)]
    pub fn new(env: &Env, #[napi(ts_arg_type = "Plain")] bound: Unknown<'_>) -> Result<Self> {
        Ok(Self(Registry::new(&from_js(env, bound)?).or_throw(env)?))
    }

    #[napi]
    pub fn bound(&self) -> f64 {
        self.0.bound()
    }

    #[napi]
    pub fn set_bound(&mut self, env: &Env, #[napi(ts_arg_type = "Plain")] bound: Unknown<'_>) -> Result<()> {
        self.0.set_bound(&from_js(env, bound)?).or_throw(env)
    }

    #[napi]
    pub fn add(&mut self, name: String) -> bool {
        self.0.add(&name)
    }

    #[napi]
    pub fn remove(&mut self, name: String) {
        self.0.remove(&name);
    }

    #[napi]
    pub fn make_room(&mut self) {
        self.0.make_room();
    }

    #[napi]
    pub fn search_all(&mut self) {
        self.0.search_all();
    }

    #[napi(ts_return_type = "string | undefined")]
    pub fn next_look(&mut self) -> Option<String> {
        self.0.next_look()
    }

    #[napi]
    pub fn size(&self) -> u32 {
        self.0.size() as u32
    }
}
