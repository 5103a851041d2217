//! German: what the page of the people says

use crate::locales::Plural;
use crate::locales::words::People;

pub const WORDS: People = People {
    title: "Crew",
    my_duty: "Mein Dienst",
    my_on: "Du bist im Dienst: Anfragen klingeln bei dir.",
    my_off: "Du bist nicht im Dienst: bei dir klingelt nichts.",
    on_duty: "Im Dienst",
    off_duty: "Nicht im Dienst",
    inactive: "Dürfen sich nicht mehr anmelden",
    nobody_on_duty: "Niemand ist im Dienst",
    nobody_on_duty_hint: "Anfragen kommen an und werden festgehalten, klingeln aber bei niemandem.",
    devices: Plural::two("{n} Gerät", "{n} Geräte"),
    mute: Plural::two("{n} Gerät kann nicht klingeln", "{n} Geräte können nicht klingeln"),
    hears_nothing: "Im Dienst, aber kein Gerät ist offen",
    search: "In der Crew suchen",
    duty_of: "{who} im Dienst",
    name: "Name",
    add: "Person hinzufügen",
    edit_of: "{who} bearbeiten",
    name_hint: "Der Name für die Anmeldung; niemand sonst darf ihn haben.",
    active: "Darf sich anmelden",
    active_hint: "Ausgeschaltet wird die Person überall abgemeldet und ist nicht mehr im Dienst. Was sie getan hat, bleibt.",
    not_yourself: "Du kannst dir deine eigenen Rechte nicht nehmen.",
    secret_title: "Neue PIN oder neues Passwort",
    secret_hint: "Eine PIN aus 4 bis 12 Ziffern oder ein Passwort ab 8 Zeichen.",
    secret_wrong: "4 bis 12 Ziffern oder 8 bis 200 Zeichen.",
    secret_online: "Das geht direkt an den Server und kann nicht warten: es braucht eine Verbindung.",
    secret_unsaved: "Zuerst muss der Server die Person kennen: er hat noch nicht geantwortet.",
    secret_ends: "Die Person wird überall abgemeldet und meldet sich damit neu an.",
    secret_set: "Setzen",
    secret_done: "Erledigt: ab jetzt gilt sie.",
    added_hint: "{who} ist hinzugefügt. Setze eine PIN für die Anmeldung.",
    name_missing: "Ein Name ist nötig.",
};
