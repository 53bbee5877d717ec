//! Node-API in safe clothes: values that cannot outlive the call they came with, and functions bound to a state.
//!
//! Functions that are bound to a pointer cost a tenth of methods that look up their object, and a breaker is called on
//! every request.
//!
//! Whatever fails here fails because the environment is being torn down or an exception is already on its way. Then
//! there is nobody to tell, and `None` becomes JavaScript's `undefined`.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::ptr;

use napi_sys as sys;

/// The JavaScript world, for the length of one call.
#[derive(Clone, Copy)]
pub(crate) struct Env<'call> {
    raw: sys::napi_env,
    call: PhantomData<&'call ()>,
}

/// A JavaScript value, for the length of one call.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Js<'call> {
    raw: sys::napi_value,
    call: PhantomData<&'call ()>,
}

/// What a bound function of `N` arguments does. Arguments that the caller left out are undefined.
pub(crate) type Run<T, const N: usize> = for<'call> fn(&T, Env<'call>, [Js<'call>; N]) -> Option<Js<'call>>;

/// A state and what to do with it; owned by the JavaScript function that it is bound to.
struct Bound<T, const N: usize> {
    state: T,
    run: Run<T, N>,
}

/// `Some(value)` where Node-API succeeded.
fn checked<T>(status: sys::napi_status, value: T) -> Option<T> {
    (status == sys::Status::napi_ok).then_some(value)
}

impl<'call> Env<'call> {
    fn js(self, raw: sys::napi_value) -> Js<'call> {
        Js { raw, call: PhantomData }
    }

    /// Makes a value with a function of Node-API that writes it to a place.
    fn made(self, make: impl FnOnce(*mut sys::napi_value) -> sys::napi_status) -> Option<Js<'call>> {
        let mut raw = ptr::null_mut();
        checked(make(&mut raw), ())?;
        Some(self.js(raw))
    }

    pub(crate) fn boolean(self, truth: bool) -> Option<Js<'call>> {
        // SAFETY: `self` is the environment of the call that is running, and the place outlives the call of Node-API.
        // The same holds for every call of Node-API below.
        self.made(|place| unsafe { sys::napi_get_boolean(self.raw, truth, place) })
    }

    pub(crate) fn number(self, number: f64) -> Option<Js<'call>> {
        // SAFETY: as in `boolean`.
        self.made(|place| unsafe { sys::napi_create_double(self.raw, number, place) })
    }

    pub(crate) fn text(self, text: &str) -> Option<Js<'call>> {
        let length = isize::try_from(text.len()).ok()?;
        // SAFETY: as in `boolean`; the text is read before the call returns.
        self.made(|place| unsafe { sys::napi_create_string_utf8(self.raw, text.as_ptr().cast(), length, place) })
    }

    /// A typed array with a copy of these bytes.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Option<Js<'call>> {
        let (length, data) = (bytes.len(), bytes.as_ptr().cast());
        // SAFETY: as in `boolean`; the bytes are copied before the call returns, and nobody asks where to.
        self.made(|place| unsafe { sys::napi_create_buffer_copy(self.raw, length, data, ptr::null_mut(), place) })
    }

    /// Gives `object` a property.
    pub(crate) fn set(self, object: Js<'call>, name: &CStr, value: Js<'call>) -> Option<()> {
        // SAFETY: as in `boolean`; both values belong to the running call.
        checked(unsafe { sys::napi_set_named_property(self.raw, object.raw, name.as_ptr(), value.raw) }, ())
    }

    /// A function that owns `state` until JavaScript has no more use for it.
    pub(crate) fn function<T: 'static, const N: usize>(
        self,
        name: &CStr,
        state: T,
        run: Run<T, N>,
    ) -> Option<Js<'call>> {
        let bound = Box::into_raw(Box::new(Bound { state, run }));
        let data = bound.cast::<c_void>();
        let function = self.made(|place| {
            let length = name.count_bytes() as isize;
            // SAFETY: as in `boolean`. `data` is what `enter::<T, N>` takes it for, and stays so until `release::<T, N>`,
            // which runs when the function is gone.
            unsafe { sys::napi_create_function(self.raw, name.as_ptr(), length, Some(enter::<T, N>), data, place) }
        });
        let Some(function) = function else {
            // SAFETY: the box was made above, and no function got it.
            drop(unsafe { Box::from_raw(bound) });
            return None;
        };
        // SAFETY: as in `boolean`. Where this fails the box is leaked, because the function may still be called.
        let status = unsafe {
            sys::napi_add_finalizer(
                self.raw,
                function.raw,
                data,
                Some(release::<T, N>),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        checked(status, function)
    }

    pub(crate) fn number_of(self, value: Js<'call>) -> Option<f64> {
        let mut number = 0.0;
        // SAFETY: as in `boolean`; the value belongs to the running call.
        checked(unsafe { sys::napi_get_value_double(self.raw, value.raw, &mut number) }, ())?;
        Some(number)
    }

    /// What a typed array of bytes holds; the bytes are read before any JavaScript runs again.
    pub(crate) fn bytes_of(self, array: Js<'call>) -> Option<Vec<u8>> {
        let (mut length, mut data) = (0, ptr::null_mut());
        // SAFETY: as in `number_of`; what is not asked for may be null, and what is no typed array is refused.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.raw,
                array.raw,
                ptr::null_mut(),
                &mut length,
                &mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        checked(status, ())?;
        if length == 0 {
            return Some(Vec::new());
        }
        // SAFETY: the array has `length` bytes at `data`, and nobody writes to them while this call runs.
        Some(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec())
    }

    /// Keeps a function beyond this call.
    pub(crate) fn keep(self, function: Js<'call>) -> Option<Kept> {
        let mut kept = ptr::null_mut();
        // SAFETY: as in `number_of`.
        checked(unsafe { sys::napi_create_reference(self.raw, function.raw, 1, &mut kept) }, ())?;
        Some(Kept { env: self.raw, raw: kept })
    }
}

/// A function that JavaScript does not collect. It is called, and let go of, while a call from JavaScript runs or its
/// environment is torn down; so the environment is there.
pub(crate) struct Kept {
    env: sys::napi_env,
    raw: sys::napi_ref,
}

impl Kept {
    /// Calls it with a number; the number that it returns. What it throws is dropped.
    pub(crate) fn call(&self, number: f64) -> Option<f64> {
        let env = Env { raw: self.env, call: PhantomData };
        // SAFETY: as in `boolean`: a call from JavaScript is running, as the type says.
        let function = env.made(|place| unsafe { sys::napi_get_reference_value(self.env, self.raw, place) })?;
        // SAFETY: as in `boolean`.
        let this = env.made(|place| unsafe { sys::napi_get_undefined(self.env, place) })?;
        let argument = env.number(number)?.raw;
        // SAFETY: as in `boolean`; there is one argument.
        let called =
            env.made(|place| unsafe { sys::napi_call_function(self.env, this.raw, function.raw, 1, &argument, place) });
        if called.is_none() {
            // SAFETY: as in `boolean`.
            let _ = env.made(|place| unsafe { sys::napi_get_and_clear_last_exception(self.env, place) });
        }
        env.number_of(called?)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: the reference was made in this environment, which is there, and is deleted here only. Where that fails
        // the function is kept until the environment goes.
        unsafe { sys::napi_delete_reference(self.env, self.raw) };
    }
}

/// The C side of a bound function.
///
/// # Safety
/// Node calls it, with the `data` of a function made by `Env::function::<T, N>` that is still alive.
unsafe extern "C" fn enter<T, const N: usize>(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let env = Env { raw, call: PhantomData };
    let mut arguments = [env.js(ptr::null_mut()); N];
    let mut count = N;
    let mut data = ptr::null_mut();
    // SAFETY: `raw` and `info` are those of the running call. There is room for `count` values, each a `napi_value` to
    // the letter, and those that the caller left out are filled with undefined.
    let status = unsafe {
        sys::napi_get_cb_info(raw, info, &mut count, arguments.as_mut_ptr().cast(), ptr::null_mut(), &mut data)
    };
    if status != sys::Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: by the contract, `data` is the box of this function, and nobody has a unique reference to it.
    let bound = unsafe { &*data.cast::<Bound<T, N>>() };
    (bound.run)(&bound.state, env, arguments).map_or(ptr::null_mut(), |value| value.raw)
}

/// Frees the state of a function that is gone.
///
/// # Safety
/// Node calls it once, on the environment's own thread, with the `data` of a function made by `Env::function::<T, N>`
/// that is not called any more: it was collected, or the environment is torn down.
unsafe extern "C" fn release<T, const N: usize>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: by the contract, this is the box that `Env::function` let go of.
    drop(unsafe { Box::from_raw(data.cast::<Bound<T, N>>()) });
}

/// Node calls this when the addon is loaded, once for each environment: the main thread and every worker.
///
/// # Safety
/// For Node only.
#[unsafe(no_mangle)]
unsafe extern "C" fn napi_register_module_v1(env: sys::napi_env, exports: sys::napi_value) -> sys::napi_value {
    let env = Env { raw: env, call: PhantomData };
    // Where this fails the exports stay empty, which the loader takes for no addon.
    let _ = crate::exports(env, env.js(exports));
    exports
}
