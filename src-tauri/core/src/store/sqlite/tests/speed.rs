//! How long it takes. These print figures and never fail for them:
//! `cargo test -p crewbell-core speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;
use crate::store::conformance::{cursor, line, request, waiting};

#[tokio::test]
#[ignore = "prints figures"]
async fn a_snapshot_a_frame_a_command_and_a_load() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let nouns = (0..10_000).map(|number| request(number, "Two towels, please")).collect();
    let replace = [Write::Replace { nouns, cursor: cursor(1) }];
    timed("10,000 nouns in one replace", store.write(&replace)).await.unwrap();
    timed("JSON alone", async {
        crate::store::sqlite::cache::Sum::of(&replace);
        serde_json::to_string(&{
            let Write::Replace { nouns, .. } = &replace[0] else { panic!() };
            nouns
        })
        .unwrap()
        .len()
    })
    .await;
    timed("the same once more", store.write(&replace)).await.unwrap();
    let frame: Vec<_> = (0..1000)
        .flat_map(|number: u16| {
            let seq = 2 + u64::from(number);
            let noun = request(u128::from(number), "changed");
            [Write::Drop(waiting(seq.into()).command.id), Write::Put { noun, seq }, Write::Tell(line(seq))]
        })
        .chain([Write::Advance(cursor(1002)), Write::Heard(crewbell_shared::testing::at(1))])
        .collect();
    timed("a frame of 1,000 entries", store.write(&frame)).await.unwrap();
    let small = [frame[1].clone(), frame[2].clone(), Write::Advance(cursor(1003))];
    timed("a frame of one entry", store.write(&small)).await.unwrap();
    timed("one command, on the disk", store.write(&[Write::Keep(waiting(1))])).await.unwrap();
    timed("load", store.load()).await.unwrap();
    store.close().await;
    let mut store = timed("open, with its load", Sqlite::open(folder.path())).await.unwrap().0;
    assert_eq!(timed("load after open", store.load()).await.unwrap().nouns.len(), 10_000);
    println!("{} bytes", store.bytes());
}

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    println!("{what}: {:?}", began.elapsed());
    done
}
