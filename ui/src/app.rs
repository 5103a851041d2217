//! The app, from the page's root down.

use leptos::{prelude::*, task::spawn_local};

use crate::bridge::{self, Failure};

/// The page: says what it is, and whether the shell answers.
#[component]
pub fn App() -> impl IntoView {
    let answer = RwSignal::new(String::new());
    let heard = RwSignal::new(0_u32);
    spawn_local(async move {
        let listening = bridge::listen("pinged", move |times: u32| {
            heard.try_set(times);
        });
        if let Err(failure) = listening.await {
            answer.try_set(failure.to_string());
        }
    });
    let ask = move |_| {
        spawn_local(async move {
            let pong: Result<String, Failure> = bridge::ask("ping", &"the face").await;
            answer.try_set(pong.unwrap_or_else(|failure| failure.to_string()));
        });
    };
    view! {
        <main>
            <h1>"Crewbell"</h1>
            <button id="ping" on:click=ask>"Is the shell there?"</button>
            <p id="answer" role="status">{answer}</p>
            <p id="heard">{heard}</p>
        </main>
    }
}
