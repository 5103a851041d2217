//! Croatian: texts for commands, as shown in the outbox.

use crate::locales::words::Verbs;

pub const WORDS: Verbs = Verbs {
    create_request: "Zatražiti: {place}",
    accept_request: "Prihvatiti: {what}",
    release_request: "Vratiti: {what}",
    hand_over_request: "Predati ({who}): {what}",
    complete_request: "Završiti: {what}",
    cancel_request: "Otkazati: {what}",
    note_request: "Bilješka uz {what}: „{text}”",
    assign_button: "Dodijeliti tipku {what}: {place}",
    create_button: "Dodati tipku {what}: {place}",
    retire_button: "Staviti tipku {what} izvan upotrebe",
    save_place: "Spremiti mjesto {what}",
    dnd_on: "Ne uznemiravati uključeno: {what}",
    dnd_off: "Ne uznemiravati isključeno: {what}",
    save_guest: "Spremiti gosta {what}",
    check_in: "Prijava dolaska, {who}: {place}",
    check_out: "Prijava odlaska: {who}",
    save_person: "Spremiti: {who}",
    on_duty: "{who}: na dužnosti",
    off_duty: "{who}: nije na dužnosti",
    save_settings: "Spremiti postavke lokacije",
    unknown_thing: "nečega više nema",
    start_call: "Nazovi: {who}",
    answer_call: "Javi se na poziv",
    reject_call: "Odbij poziv",
    end_call: "Završi poziv",
    see_call: "Označi propušteni poziv kao viđen",
    busy: "{who}: zauzetost",
    not_busy: "{who}: opet na raspolaganju",
};
