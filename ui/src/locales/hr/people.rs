//! Croatian: what the page of the people says

use crate::locales::Plural;
use crate::locales::words::People;

pub const WORDS: People = People {
    title: "Posada",
    my_duty: "Moja dužnost",
    my_on: "Na dužnosti ste: zahtjevi vam zvone.",
    my_off: "Niste na dužnosti: ništa vam ne zvoni.",
    on_duty: "Na dužnosti",
    off_duty: "Nije na dužnosti",
    inactive: "Više se ne smiju prijaviti",
    nobody_on_duty: "Nitko nije na dužnosti",
    nobody_on_duty_hint: "Zahtjevi stižu i bilježe se, ali nikome ne zvone.",
    devices: Plural::three("{n} uređaj", "{n} uređaja", "{n} uređaja"),
    mute: Plural::three("{n} uređaj ne može zvoniti", "{n} uređaja ne mogu zvoniti", "{n} uređaja ne može zvoniti"),
    hears_nothing: "Na dužnosti, ali nijedan uređaj nije otvoren",
    search: "Traži u posadi",
    duty_of: "{who} na dužnosti",
    name: "Ime",
    add: "Dodaj osobu",
    edit_of: "Uredi: {who}",
    name_hint: "Ime za prijavu; nitko drugi ga ne smije imati.",
    active: "Smije se prijaviti",
    active_hint: "Ako je isključeno, osoba se svugdje odjavljuje i nije na dužnosti. Ono što je učinila ostaje.",
    not_yourself: "Ne možete sami sebi oduzeti prava.",
    secret_title: "Novi PIN ili lozinka",
    secret_hint: "PIN od 4 do 12 znamenki ili lozinka od najmanje 8 znakova.",
    secret_wrong: "4 do 12 znamenki ili 8 do 200 znakova.",
    secret_online: "To ide izravno na poslužitelj i ne može čekati: potrebna je veza.",
    secret_unsaved: "Poslužitelj prvo mora znati za osobu: još nije odgovorio.",
    secret_ends: "Osoba se svugdje odjavljuje i njime se ponovno prijavljuje.",
    secret_set: "Postavi",
    secret_done: "Gotovo: vrijedi od sada.",
    added_hint: "{who} je u posadi. Postavite PIN za prijavu.",
    name_missing: "Potrebno je ime.",
};
