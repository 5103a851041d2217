//! Generates ids: UUIDs of version 7 (RFC 9562), from the device's clock and the browser's random numbers.

use uuid::{Builder, Uuid};
use wasm_bindgen::prelude::*;

use super::clock;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(bytes: &mut [u8]);
}

/// Creates an id of any type: `let request_id: RequestId = new_id();`
pub fn new_id<I: From<Uuid>>() -> I {
    let mut random = [0; 10];
    fill(&mut random);
    let millis = u64::try_from(clock::now().as_millisecond()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
}
