//! Croatian: texts of the outbox page.

use crate::locales::Plural;
use crate::locales::words::Outbox;

pub const WORDS: Outbox = Outbox {
    title: "Za slanje",
    intro: "Šalje se ovim redom, samo od sebe, čim ima veze.",
    intro_live: "Veza postoji: slanje je u tijeku.",
    empty: "Sve je poslano",
    empty_text: "Ono što učinite bez veze čeka ovdje dok ne stigne na poslužitelj.",
    refused: "Odbijeno",
    refused_text: "Poslužitelj je rekao ne. Ništa nije izgubljeno: pokušajte ponovno ili odbacite.",
    waiting: "Čeka",
    done: "Na poslužitelju",
    others: "Ostavio netko drugi",
    others_text: "Šalje se tek kad se ta osoba ovdje ponovno prijavi. Inače spremite u datoteku ili odbacite.",
    state_waiting: "čeka",
    state_refused: "odbijeno",
    state_done: "učinjeno, stiže za trenutak",
    by: "{who}",
    now: "Sada:",
    now_has: "Zahtjev ima {who}.",
    now_open: "Ponovno je otvoreno: možete pokušati još jednom.",
    now_done: "Završeno u {time}: {who}.",
    now_cancelled: "Otkazano u {time}: {who}.",
    now_yours: "Vi ga imate.",
    needs: "Ovisi o: {what}",
    needed_by: Plural::three(
        "{n} daljnja promjena ovisi o ovoj i bila bi odbijena s njom.",
        "{n} daljnje promjene ovise o ovoj i bile bi odbijene s njom.",
        "{n} daljnjih promjena ovisi o ovoj i bile bi odbijene s njom.",
    ),
    retry_first: "Prvo pokušajte to.",
    retry_name: "Pokušaj ponovno: {what}",
    discard_name: "Odbaci: {what}",
    discard_title: "Odbaciti ovo?",
    discard_refused: "Poslužitelj to nije učinio i više se neće pokušavati.",
    discard_waiting: "Više se neće slati. Ako je već krenulo, možda će se ipak dogoditi.",
    discard_other: "{who} za to neće saznati. Najprije spremite u datoteku ako je važno.",
    save_all: "Spremi sve u datoteku",
    save_hint: "Za drugi uređaj ili za čitanje. Ovdje sve ostaje.",
    saved: "Spremljeno: {path}",
};
