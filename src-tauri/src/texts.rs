//! Texts outside the window: on notifications and in the tray. The UI has all others.

use crewbell_shared::request::Priority;

/// The texts of one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) accept: &'static str,
    pub(crate) show: &'static str,
    pub(crate) silence: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) nothing_open: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) reject: &'static str,
    pub(crate) hang_up: &'static str,
    calls: &'static str,
    missed: [&'static str; 2],
    open: [&'static str; 2],
    priorities: [&'static str; 4],
}

const ENGLISH: Words = Words {
    accept: "Accept",
    show: "Show Crewbell",
    silence: "Silence for a minute",
    quit: "Quit (nothing rings then)",
    nothing_open: "Nothing open",
    answer: "Answer",
    reject: "Reject",
    hang_up: "Hang up",
    calls: "{} is calling",
    missed: ["1 missed call", "{} missed calls"],
    open: ["1 open request", "{} open requests"],
    priorities: ["Request", "Call", "Urgent", "EMERGENCY"],
};

const GERMAN: Words = Words {
    accept: "Annehmen",
    show: "Crewbell zeigen",
    silence: "Eine Minute still",
    quit: "Beenden (dann klingelt nichts mehr)",
    nothing_open: "Nichts offen",
    answer: "Annehmen",
    reject: "Ablehnen",
    hang_up: "Auflegen",
    calls: "{} ruft an",
    missed: ["1 verpasster Anruf", "{} verpasste Anrufe"],
    open: ["1 offene Anfrage", "{} offene Anfragen"],
    priorities: ["Wunsch", "Ruf", "Dringend", "NOTFALL"],
};

const FRENCH: Words = Words {
    accept: "Accepter",
    show: "Afficher Crewbell",
    silence: "Silence pendant une minute",
    quit: "Quitter (plus rien ne sonnera)",
    nothing_open: "Aucune demande en attente",
    answer: "Répondre",
    reject: "Refuser",
    hang_up: "Raccrocher",
    calls: "{} appelle",
    missed: ["1 appel manqué", "{} appels manqués"],
    open: ["1 demande en attente", "{} demandes en attente"],
    priorities: ["Demande", "Appel", "Urgent", "URGENCE VITALE"],
};

const CROATIAN: Words = Words {
    accept: "Prihvati",
    show: "Prikaži Crewbell",
    silence: "Utišaj na minutu",
    quit: "Zatvori (tada ništa ne zvoni)",
    nothing_open: "Nema otvorenih zahtjeva",
    answer: "Javi se",
    reject: "Odbij",
    hang_up: "Prekini",
    calls: "{} zove",
    missed: ["Propušteni pozivi: 1", "Propušteni pozivi: {}"],
    open: ["Otvoreni zahtjevi: 1", "Otvoreni zahtjevi: {}"],
    priorities: ["Zahtjev", "Poziv", "Žurno", "HITAN SLUČAJ"],
};

impl Words {
    /// Returns the texts of the chosen language, or of the system's if none was chosen. The UI does the same.
    pub(crate) fn of(chosen: Option<&str>) -> &'static Self {
        Self::of_tag(chosen.or(sys_locale::get_locale().as_deref()).unwrap_or_default())
    }

    /// Returns the texts for a language tag such as `de-AT` or `de_AT.UTF-8`; English for an unsupported one.
    fn of_tag(tag: &str) -> &'static Self {
        match tag.split(['-', '_', '.']).next().unwrap_or_default() {
            "de" => &GERMAN,
            "fr" => &FRENCH,
            "hr" => &CROATIAN,
            _ => &ENGLISH,
        }
    }

    /// Returns the name of a priority.
    pub(crate) fn priority(&self, priority: Priority) -> &'static str {
        let [low, normal, high, emergency] = self.priorities;
        match priority {
            Priority::Low => low,
            Priority::Normal => normal,
            Priority::High => high,
            Priority::Emergency => emergency,
        }
    }

    /// Returns a sentence that names the caller.
    pub(crate) fn calls(&self, name: &str) -> String {
        self.calls.replace("{}", name)
    }

    /// Returns a sentence with the number of missed calls; none for zero.
    pub(crate) fn missed(&self, count: usize) -> Option<String> {
        let [one, many] = self.missed;
        match count {
            0 => None,
            1 => Some(one.to_owned()),
            many_calls => Some(many.replace("{}", &many_calls.to_string())),
        }
    }

    /// Returns a sentence with the number of open requests.
    pub(crate) fn open(&self, count: usize) -> String {
        match count {
            0 => self.nothing_open.to_owned(),
            1 => self.open[0].to_owned(),
            _ => self.open[1].replace("{}", &count.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_was_chosen_is_spoken_whatever_the_system_s_is() {
        let quits = [("en", ENGLISH), ("de", GERMAN), ("fr", FRENCH), ("hr", CROATIAN)];
        for (chosen, words) in quits {
            assert_eq!(Words::of(Some(chosen)).quit, words.quit);
        }
    }

    #[test]
    fn a_system_s_language_is_known_as_each_system_writes_it() {
        for tag in ["de", "de-AT", "de_CH.UTF-8", "de-Latn-DE"] {
            assert_eq!(Words::of_tag(tag).quit, GERMAN.quit, "{tag}");
        }
        assert_eq!(Words::of_tag("hr_HR").quit, CROATIAN.quit);
        assert_eq!(Words::of_tag("fr-CA").quit, FRENCH.quit);
        for tag in ["", "C", "C.UTF-8", "POSIX", "fi-FI", "den-CA"] {
            assert_eq!(Words::of_tag(tag).quit, ENGLISH.quit, "{tag}");
        }
    }

    /// Runs this test's own executable in another language, because the environment can't be changed from within.
    #[cfg(target_os = "linux")]
    #[test]
    fn where_no_language_was_chosen_the_system_s_is_spoken() {
        const ASKED: &str = "CREWBELL_TEST_WORDS";
        if std::env::var_os(ASKED).is_some() {
            println!("says: {}", Words::of(None).accept);
            return;
        }
        let spoken = |name: &str, value: &str| {
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            for other in ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"] {
                again.env_remove(other);
            }
            again.args(["--exact", "texts::tests::where_no_language_was_chosen_the_system_s_is_spoken", "--nocapture"]);
            let output = again.env(ASKED, "1").env(name, value).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            said.lines().find_map(|line| line.split_once("says: ")).map(|(_, said)| said.to_owned()).unwrap_or_default()
        };
        assert_eq!(spoken("LANG", "fr_FR.UTF-8"), FRENCH.accept);
        assert_eq!(spoken("LC_MESSAGES", "hr_HR.UTF-8"), CROATIAN.accept);
        assert_eq!(spoken("LC_ALL", "de_AT.UTF-8"), GERMAN.accept);
        assert_eq!(spoken("LANG", "C.UTF-8"), ENGLISH.accept);
    }
}
