//! The few words that are said outside the window: on notifications and in the tray. All others are the face's.

use crewbell_shared::request::Priority;

/// The words of one language.
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
    /// The words of a language by its code; English for one that isn't spoken here.
    pub(crate) fn of(language: &str) -> &'static Self {
        match language {
            "de" => &GERMAN,
            "fr" => &FRENCH,
            "hr" => &CROATIAN,
            _ => &ENGLISH,
        }
    }

    /// What a priority is called.
    pub(crate) fn priority(&self, priority: Priority) -> &'static str {
        let [low, normal, high, emergency] = self.priorities;
        match priority {
            Priority::Low => low,
            Priority::Normal => normal,
            Priority::High => high,
            Priority::Emergency => emergency,
        }
    }

    /// Who calls, in a sentence.
    pub(crate) fn calls(&self, name: &str) -> String {
        self.calls.replace("{}", name)
    }

    /// How many calls were missed, in a sentence; none: nothing.
    pub(crate) fn missed(&self, count: usize) -> Option<String> {
        let [one, many] = self.missed;
        match count {
            0 => None,
            1 => Some(one.to_owned()),
            many_calls => Some(many.replace("{}", &many_calls.to_string())),
        }
    }

    /// How many requests are open, in a sentence.
    pub(crate) fn open(&self, count: usize) -> String {
        match count {
            0 => self.nothing_open.to_owned(),
            1 => self.open[0].to_owned(),
            _ => self.open[1].replace("{}", &count.to_string()),
        }
    }
}
