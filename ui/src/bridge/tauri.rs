//! Bindings to the part of Tauri's JavaScript API that the app uses (`withGlobalTauri` in `tauri.conf.json`).

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Calls a command. Rejects with the command's error, or with Tauri's own.
    #[wasm_bindgen(catch, js_namespace = ["window", "__TAURI__", "core"])]
    pub async fn invoke(command: &str, args: &Args) -> Result<JsValue, JsValue>;

    /// Calls `handler` with every `event`; resolves once it is registered.
    #[wasm_bindgen(catch, js_namespace = ["window", "__TAURI__", "event"])]
    pub async fn listen(event: &str, handler: &Closure<dyn FnMut(Event)>) -> Result<JsValue, JsValue>;

    /// The arguments of a command by name. The app's commands have one: `args`.
    #[wasm_bindgen(extends = js_sys::Object, js_name = Object)]
    pub type Args;

    #[wasm_bindgen(constructor, js_class = Object)]
    fn empty() -> Args;

    #[wasm_bindgen(method, setter, js_name = args)]
    fn set_args(this: &Args, json: &str);

    /// An event as a listener receives it.
    pub type Event;

    #[wasm_bindgen(method, getter)]
    pub fn payload(this: &Event) -> JsValue;
}

impl Args {
    /// Creates the only argument of the command: JSON text.
    pub fn new(json: &str) -> Self {
        let args = Self::empty();
        args.set_args(json);
        args
    }
}
