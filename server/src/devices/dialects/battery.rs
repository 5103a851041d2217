//! Battery charge in percent, from a device's report. A value in an ambiguous unit is unknown; a full cell is never
//! reported as low.
//!
//! Devices report percent, a fraction, volts, millivolts, or the 0 to 254 of `LoRaWAN`, under one name. Volts give no
//! charge: 3.0 V is a full cell of one chemistry and an empty one of another.

use super::super::reading::Value;
use super::fields::number;

/// Limit below which a plain number may be volts.
const VOLTS: f64 = 6.0;
/// Limit below which a number with decimals may be the volts of a block of cells, unless it is a half.
const BLOCK_VOLTS: f64 = 16.0;

/// The charge from a field that is called "battery" and names no unit.
///
/// | reported | meaning |
/// |---|---|
/// | `"87%"`, `"3 %"` | percent, as written |
/// | 0, whole numbers from 6 to 100, and halves | percent |
/// | between 0 and 1 | a fraction |
/// | 1 to 6 | unknown: percent, volts, or a full fraction |
/// | up to 16 with other decimals (`12.6`) | unknown: volts of a block |
/// | above 100, `"3.0V"`, `"3012 mV"` | unknown: volts, millivolts, or the device's word for unknown |
pub(super) fn untold(value: &Value) -> Option<u8> {
    if let Some(percent) = value.as_text().and_then(|text| text.trim().strip_suffix('%')) {
        return percent.trim().parse().ok().and_then(self::percent);
    }
    let said = number(value)?;
    let is_fraction = said > 0.0 && said < 1.0;
    let is_block = (VOLTS..BLOCK_VOLTS).contains(&said) && (said * 2.0).fract() != 0.0;
    match said {
        _ if is_fraction => percent(said * 100.0),
        _ if said == 0.0 || (said >= VOLTS && !is_block) => percent(said),
        _ => None,
    }
}

/// The charge from a field that is defined as percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100 fits")]
pub(super) fn percent(number: f64) -> Option<u8> {
    (0.0..=100.0).contains(&number).then(|| number.round() as u8)
}

/// The charge in `LoRaWAN`'s unit (1.0.4, section 5.5, `DevStatusAns`): 1 to 254; 0 is external power, 255 unknown.
pub(super) fn lorawan(number: f64) -> Option<u8> {
    (1.0..=254.0).contains(&number).then_some(number / 2.54).and_then(percent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reading;
    use super::*;

    fn said(value: &serde_json::Value) -> Option<u8> {
        let read = reading::read(json!({ "battery": value }).to_string().as_bytes()).unwrap();
        untold(read[0].object.get("battery").unwrap())
    }

    #[test]
    fn a_charge_is_told_only_where_its_unit_can_be_told() {
        for (value, expected) in [
            (json!(87), Some(87)),
            (json!(87.5), Some(88)),
            (json!(100), Some(100)),
            (json!(100.0), Some(100)),
            (json!(12), Some(12)),
            (json!(12.5), Some(13)),
            (json!(6), Some(6)),
            (json!(0), Some(0)),
            (json!("77"), Some(77)),
            (json!("87%"), Some(87)),
            (json!(" 3 % "), Some(3)),
            (json!("99.5%"), Some(100)),
            (json!(0.87), Some(87)),
            (json!(0.05), Some(5)),
            (json!("0.5"), Some(50)),
            (json!(1), None),
            (json!(1.0), None),
            (json!(3), None),
            (json!(3.02), None),
            (json!(4.1), None),
            (json!(5), None),
            (json!(9.1), None),
            (json!(12.6), None),
            (json!("3.0V"), None),
            (json!("3.384 V"), None),
            (json!("3012 mV"), None),
            (json!(3012), None),
            (json!(255), None),
            (json!(-1), None),
            (json!("120%"), None),
            (json!("full"), None),
            (json!(true), None),
            (json!([87]), None),
        ] {
            assert_eq!(said(&value), expected, "{value}");
        }
    }

    #[test]
    fn no_voltage_of_a_full_cell_is_low() {
        use crewbell_shared::button::Health;
        for volts in
            [1.2, 1.5, 1.6, 2.8, 3.0, 3.02, 3.3, 3.6, 4.1, 4.2, 5.0, 5.2, 8.4, 9.1, 9.6, 12.6, 12.8, 13.2, 14.4]
        {
            for said in [json!(volts), json!(format!("{volts}V")), json!(format!("{volts} V")), json!(volts * 1000.0)] {
                let low = self::said(&said).is_some_and(|percent| percent <= Health::LOW_BATTERY_PERCENT);
                assert!(!low, "{said}");
            }
        }
    }

    #[test]
    fn lorawan_counts_to_254_and_external_power_is_not_flat() {
        assert_eq!([0.0, 1.0, 127.0, 254.0, 255.0].map(lorawan), [None, Some(0), Some(50), Some(100), None]);
    }
}
