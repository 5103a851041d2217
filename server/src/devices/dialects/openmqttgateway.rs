//! `OpenMQTTGateway`: `home/{gateway}/{module}toMQTT` with `{"value": 4534142, …}`.
//!
//! A radio button sends only a code, and so do the neighbours' buttons: a code rings only if the site has assigned it
//! to a button and key. The device is named after the code, or by the site. It is never the gateway, which receives
//! buttons of the whole ship, as other gateways may too.

use super::decoded::{Heard, Ignored, Said, press};
use super::fields::whole;
use super::{Message, Understood};

pub(super) fn decode(module: &str, message: &Message<'_>) -> Understood {
    let fields = message.fields()?;
    let code = match fields.get(&["value", "hex"]) {
        Some(value) => whole(value).map(|code| code.to_string()).or_else(|| fields.text(&["value", "hex"])),
        None if fields.is_damaged(&["value"]) => return Err(Ignored::Damaged("its code can't be read")),
        None => None,
    };
    let code = code.ok_or(Ignored::NotAPress)?;
    let own = format!("{module}-{code}");
    Ok(vec![match message.taught_of(&own, &code) {
        Some(word) => {
            let button = word.button.clone().unwrap_or(own);
            // A radio button sends its code several times for one press.
            Heard::press(press(word.kind, word.key), code).of(button)
        }
        None => Heard::itself(Said::Nothing(Ignored::UnknownWord(code.into()))).of(own),
    }])
}
