//! Flat form of a command status for deserialisation. With all fields side by side serde needs no intermediate tree to
//! select the variant. Windows parse it too.

use crewbell_shared::Refusal;
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Doing {
    doing: Name,
    seq: Option<u64>,
    refusal: Option<Refusal>,
    refused_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Waiting,
    Done,
    Refused,
}

impl TryFrom<Doing> for super::CommandStatus {
    type Error = String;

    fn try_from(flat: Doing) -> Result<Self, String> {
        let lacks = |field: &str| format!("a command that is so far has `{field}`");
        Ok(match flat.doing {
            Name::Waiting => Self::Waiting,
            Name::Done => Self::Done { seq: flat.seq.ok_or_else(|| lacks("seq"))? },
            Name::Refused => Self::Refused {
                refusal: flat.refusal.ok_or_else(|| lacks("refusal"))?,
                at: flat.refused_at.ok_or_else(|| lacks("refused_at"))?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::at;
    use crewbell_shared::{Code, Refusal};

    use crate::store::CommandStatus;

    #[test]
    fn how_far_a_command_is_is_read_as_it_was_written() {
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.");
        for doing in
            [CommandStatus::Waiting, CommandStatus::Done { seq: 7 }, CommandStatus::Refused { refusal, at: at(1) }]
        {
            let text = serde_json::to_string(&doing).unwrap();
            assert_eq!(serde_json::from_str::<CommandStatus>(&text).unwrap(), doing, "{text}");
        }
    }

    #[test]
    fn what_was_refused_says_why_and_when() {
        for facts in [r#""refused_at":"2026-11-21T10:00:00Z""#, r#""refusal":{"code":"invalid","message":""}"#] {
            assert!(
                serde_json::from_str::<CommandStatus>(&format!(r#"{{"doing":"refused",{facts}}}"#)).is_err(),
                "{facts}"
            );
        }
        assert!(serde_json::from_str::<CommandStatus>(r#"{"doing":"done"}"#).is_err());
    }
}
