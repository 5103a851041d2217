//! Validation of PINs and passwords, shared by the REST interface, the command line and the forms.

use std::ops::RangeInclusive;

use crate::Refusal;

/// Allowed number of digits in a PIN. Four digits suffice only because sign-in attempts are rate-limited.
pub const PIN_DIGITS: RangeInclusive<usize> = 4..=12;

/// Allowed number of characters in a password: the minimum of NIST SP 800-63B, and a bound on the input to the hash.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=200;

/// Checks a new PIN (4 to 12 digits) or password (8 to 200 arbitrary characters).
///
/// # Errors
/// Returns `invalid` for the field `secret`; the message never repeats the secret.
pub fn check_secret(secret: &str) -> Result<(), Refusal> {
    let length = secret.chars().count();
    let is_pin = PIN_DIGITS.contains(&length) && secret.bytes().all(|byte| byte.is_ascii_digit());
    if is_pin || PASSWORD_CHARACTERS.contains(&length) {
        return Ok(());
    }
    Err(Refusal::invalid("secret", "A PIN has 4 to 12 digits, a password 8 to 200 characters."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_pin_has_four_to_twelve_digits() {
        for pin in ["4711", "000000", "123456789012"] {
            assert_eq!(check_secret(pin), Ok(()), "{pin}");
        }
        for none in ["", "471", "47a1", "٤٧١١", "47 11", "abcd"] {
            assert_eq!(check_secret(none).unwrap_err().code, Code::Invalid, "{none}");
        }
    }

    #[test]
    fn a_password_has_eight_to_two_hundred_characters_whatever_they_are() {
        for password in ["sea-legs", "ahoyЯ€漢字!", "1234567890123", &"ß".repeat(200)] {
            assert_eq!(check_secret(password), Ok(()), "{password}");
        }
        for none in ["sealegs", "Я€漢字", &"a".repeat(201)] {
            let refusal = check_secret(none).unwrap_err();
            assert_eq!((refusal.code, &refusal.details["field"]), (Code::Invalid, &"secret".into()), "{none}");
            assert!(!refusal.message.contains(none), "a refusal never repeats the secret");
        }
    }
}
