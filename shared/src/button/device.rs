//! Canonical spelling of device ids, whichever way the device, its topic or a person spells them.

/// The numbers of hexadecimal digits of a MAC-48 and an EUI-64, the addresses of radios and network cards.
const ADDRESSES: [usize; 2] = [12, 16];

/// Converts a device id to its canonical spelling.
///
/// An address (`AABBCCDDEE07`, `aa:bb:cc:dd:ee:07`, `AA-BB-CC-DD-EE-07`, `aabb.ccdd.ee07`; 12 or 16 digits) becomes
/// lower case without separators, and so does one behind a name (`shellyplus1-A8032AB12345`). Anything else is a custom
/// name and is only trimmed: `Cabin 7` and `cabin 7` are two devices.
pub fn device_id(spelled: &str) -> String {
    let spelled = spelled.trim();
    if let Some(address) = address(spelled) {
        return address;
    }
    // The name keeps its case: only addresses are known to be case-insensitive.
    let behind = spelled.rfind(['-', '_']).map(|at| spelled.split_at(at + 1));
    match behind.map(|(name, rest)| (name, rest, is_address(rest))) {
        Some((name, rest, true)) => format!("{name}{}", rest.to_ascii_lowercase()),
        Some((_, _, false)) | None => spelled.to_owned(),
    }
}

/// The canonical address, if the text is one: either plain, or with one kind of separator between groups of equal
/// length.
fn address(spelled: &str) -> Option<String> {
    if is_address(spelled) {
        return Some(spelled.to_ascii_lowercase());
    }
    let separator = spelled.chars().find(|c| !c.is_ascii_hexdigit()).filter(|c| matches!(c, ':' | '-' | '.'))?;
    let groups: Vec<&str> = spelled.split(separator).collect();
    let digits = groups.first().map_or(0, |group| group.len());
    let even = matches!(digits, 2 | 4) && groups.iter().all(|group| group.len() == digits);
    let plain = groups.concat();
    (even && is_address(&plain)).then(|| plain.to_ascii_lowercase())
}

fn is_address(text: &str) -> bool {
    ADDRESSES.contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_device_in_every_spelling() {
        let spellings = [
            "AABBCCDDEE07",
            "aabbccddee07",
            "aa:bb:cc:dd:ee:07",
            "AA-BB-CC-DD-EE-07",
            " Aa:Bb:cC:dd:EE:07 ",
            "aabb.ccdd.ee07",
        ];
        for spelled in spellings {
            assert_eq!(device_id(spelled), "aabbccddee07", "{spelled}");
        }
        for spelled in ["24E124535D112233", "24-e1-24-53-5d-11-22-33", "24:E1:24:53:5D:11:22:33"] {
            assert_eq!(device_id(spelled), "24e124535d112233", "{spelled}");
        }
        assert_eq!(device_id("shellyplus1-A8032AB12345"), "shellyplus1-a8032ab12345");
        assert_eq!(device_id("Shelly_A8032AB12345"), "Shelly_a8032ab12345");
    }

    #[test]
    fn a_name_stays_as_somebody_gave_it() {
        for name in [
            "Cabin 7",
            "cabin-7",
            "aa:bb",
            "a-b-c-d",
            "AABBCCDDEE0",
            "aa:bb-cc:dd-ee:07",
            "C0FFEE",
            "zz:bb:cc:dd:ee:07",
        ] {
            assert_eq!(device_id(name), name);
        }
    }

    #[test]
    fn the_one_spelling_stays() {
        for name in ["AABBCCDDEE07", "AA-BB-CC-DD-EE-07", "Cabin 7", "x-AABBCCDDEE07", "é-AABBCCDDEE07"] {
            let once = device_id(name);
            assert_eq!(device_id(&once), once);
        }
    }
}
